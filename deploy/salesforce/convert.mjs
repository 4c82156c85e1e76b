// Source -> the zip of a Metadata API deployment, with the vendor's own library: node convert.mjs <source folder> <output folder>
import { ComponentSet, MetadataConverter } from "@salesforce/source-deploy-retrieve";

const [source, output] = process.argv.slice(2);
const components = ComponentSet.fromSource(source);
components.sourceApiVersion = "62.0";
const made = await new MetadataConverter().convert(components, "metadata", {
    type: "zip",
    outputDirectory: output,
    packageName: "candor",
});
console.log(JSON.stringify({ components: components.size, zip: made.packagePath }));
