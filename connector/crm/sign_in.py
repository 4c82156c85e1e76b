"""What `candor init` asks a person for before the first connection: each adapter declares it, in its vendor's words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """One of crm.options. A name that ends in `_file` is answered with a path."""

    option: str
    text: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class SignIn:
    """`address`: the API's address, an example of it unless it is the same for everybody. `questions` are asked, after
    `intro`, where no token is given."""

    address: str
    same_for_all: bool = False
    intro: str = ""
    questions: tuple[Question, ...] = ()
