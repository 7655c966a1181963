"""Items of a source divided by the people whose they are, so that nobody stands in two splits."""

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from rnnsuite.core.errors import NoSplit, UserError
from rnnsuite.data import splits
from rnnsuite.data.notes import say


class Owned(Protocol):
    """Something that is somebody's, such as a recording.

    Attributes:
        person: whose.
    """

    @property
    def person(self) -> str: ...


Item = TypeVar("Item", bound=Owned)


def of_split(
    source: str, by_split: Mapping[str, Sequence[Item]], split: str, validation: float, test: float
) -> list[Item]:
    """The items of one split; people are divided by a hash where the source has no splits.

    Args:
        source: its name, for errors.
        by_split: items by the splits that the source has itself; "all" without any.
        split: the one wanted.
        validation, test: shares of the people that are held out where there is no such split.

    Returns:
        At least one.

    Raises:
        NoSplit: for a split that there is not.
        UserError: for shares that leave a split empty.
    """
    missing = NoSplit(f"{source} has no {split} split; it has {', '.join(sorted(by_split))}.")
    if split not in by_split and splits.WHOLE not in by_split and "train" not in by_split:
        raise missing
    if split in by_split and (split != "train" or "validation" in by_split):
        if split == "train":
            _warn_of_shared_people(source, by_split)
        return list(by_split[split])
    whole = splits.WHOLE if splits.WHOLE in by_split else "train"
    shares = {"validation": validation}
    if whole == splits.WHOLE:
        shares["test"] = test
    if split not in ("train", *shares):
        raise missing
    items = by_split[whole]
    of_person = divided(sorted(people_of(items)), shares)
    part = [item for item in items if of_person[item.person] == split]
    if not part:
        raise UserError(
            f"{source}: {len(of_person)} people leave the {split} split empty; take another "
            "data.validation, or give splits of its own."
        )
    return part


def split_names(by_split: Mapping[str, Sequence]) -> Iterable[str]:
    """The splits that a source has, with a validation split that is held out of train; "all" where
    it has none of its own.
    """
    if splits.WHOLE in by_split:
        return (splits.WHOLE,)
    return {*by_split, "validation"} if "train" in by_split else by_split


def people_of(items: Iterable[Owned]) -> set[str]:
    """Whose these are."""
    return {item.person for item in items}


def divided(people: Sequence[str], shares: Mapping[str, float]) -> dict[str, str]:
    """The split of every person, by a hash.

    Args:
        people: their names.
        shares: of the splits beside train.
    """

    def bucket(person: str) -> int:
        digest = hashlib.sha1(person.encode(), usedforsecurity=False).hexdigest()
        return int(digest, 16) % splits.BUCKETS

    of_person = dict.fromkeys(people, "train")
    rest = list(people)
    for split, share in shares.items():
        is_held_out = splits.held_out(rest, [bucket(person) for person in rest], share)
        of_person |= {person: split for person, out in zip(rest, is_held_out, strict=True) if out}
        rest = [person for person, out in zip(rest, is_held_out, strict=True) if not out]
    return of_person


def _warn_of_shared_people(source: str, by_split: Mapping[str, Sequence[Owned]]) -> None:
    people = people_of(by_split["train"])
    for split in ("validation", "test"):
        shared = people & people_of(by_split.get(split, ()))
        if shared:
            names = ", ".join(sorted(shared)[:3])
            say(
                f"{source}: {len(shared)} people of train are in {split} too ({names}): its "
                "scores will be too good.",
                logging.WARNING,
            )
