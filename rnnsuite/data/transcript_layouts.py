"""Folders and files in which transcribed recordings are published, and one's own."""

import pathlib
from collections.abc import Iterator, Mapping, Sequence

from rnnsuite.core.errors import UserError
from rnnsuite.data import splits, tables
from rnnsuite.data.notes import Skips
from rnnsuite.data.transcripts import TranscriptsConfig, Utterance
from rnnsuite.data.within import within

COLUMNS = {
    "file": ("file", "path", "audio_filepath", "audio", "audio_path", "wav"),
    "text": ("transcript", "text", "sentence", "transcription"),
    "speaker": ("speaker", "client_id", "speaker_id"),
}
"""Names that columns have in published tables, by the configuration key that names another."""
SPLIT = "split"
"""A column with each row's own split."""
CLIPS = "clips"
"""Where Common Voice keeps the files of a table."""
LIBRISPEECH = "*.trans.txt"
LJSPEECH = "metadata.csv"
BySplit = dict[str, list[Utterance]]


def read_utterances(root: pathlib.Path, config: TranscriptsConfig) -> BySplit:
    """All utterances of a source by split.

    Args:
        root: a table with a file and a transcript in every row (TSV, CSV, Parquet, or JSONL as
            NeMo's manifests are), or a folder: of such tables called train, validation or test,
            each row's split in a column, perhaps; Common Voice's, with the files in clips;
            LibriSpeech's tree of *.trans.txt (Panayotov et al., ICASSP 2015); LJSpeech's
            metadata.csv beside wavs.
        config: the names of columns.

    Returns:
        Utterances by the splits that the source has; "all" where it has none.

    Raises:
        UserError: where nothing can be read.
    """
    if not root.exists():
        raise UserError(f"There is no {root}.")
    skips = Skips(config.on_error)
    if root.is_dir() and (root / LJSPEECH).is_file():
        by_split = {splits.WHOLE: list(_of_ljspeech(root, skips))}
    elif root.is_dir() and next(root.rglob(LIBRISPEECH), None):
        by_split = _of_librispeech(root, skips)
    else:
        by_split = _of_tables(root, config, skips)
    skips.report(root)
    if not any(by_split.values()):
        raise UserError(f"{root} holds no transcribed recordings.")
    return {split: many for split, many in by_split.items() if many}


def _of_tables(root: pathlib.Path, config: TranscriptsConfig, skips: Skips) -> BySplit:
    places = {splits.WHOLE: root} if root.is_file() else splits.path_splits(root)
    files = {split: path for split, path in places.items() if tables.is_table(path)}
    if not files:
        raise UserError(
            f"{root} holds no transcripts that are known here: a table train.tsv with the columns "
            f"file and transcript, {LIBRISPEECH} or {LJSPEECH}."
        )
    by_split: BySplit = {}
    for split, path in files.items():
        for utterance, own in _rows(path, config, skips):
            by_split.setdefault(splits.split_name(own) if own else split, []).append(utterance)
    return by_split


def _rows(
    path: pathlib.Path, config: TranscriptsConfig, skips: Skips
) -> Iterator[tuple[Utterance, str]]:
    """Utterances of a table, and each row's own split, if it has one."""
    folder = path.parent / CLIPS if (path.parent / CLIPS).is_dir() else path.parent
    names: dict[str, str] = {}
    for line, row in tables.table(path, config, _wanted(config), skips):
        names = names or _columns(path, config, row)
        origin = f"{path}, line {line}"
        file = str(row[names["file"]] or "").strip()
        if not file:
            skips(f"{origin}: no sound file.")
            continue
        text = row[names["text"]]
        speaker = str(row.get(names["speaker"]) or "").strip() if names["speaker"] else ""
        place = within(path.parent, folder / file)
        utterance = Utterance(file, place, str(text or ""), speaker or file)
        yield utterance, str(row.get(SPLIT) or "").strip()


def _wanted(config: TranscriptsConfig) -> dict[str, str]:
    """Columns that are named by the configuration, by their keys."""
    keys = {f"data.{kind}": getattr(config, kind) for kind in COLUMNS}
    return {key: name for key, name in keys.items() if name}


def _columns(
    path: pathlib.Path, config: TranscriptsConfig, row: Mapping[str, object]
) -> dict[str, str]:
    """The column of each kind; empty for no speaker."""
    lower = {name.strip().casefold(): name for name in row}
    chosen = {}
    for kind, usual in COLUMNS.items():
        names = (getattr(config, kind), *usual) if getattr(config, kind) else usual
        column = next((lower[name.casefold()] for name in names if name.casefold() in lower), "")
        if not column and kind != "speaker":
            raise UserError(
                f"{path} has no column {' or '.join(usual)}; it has {', '.join(row)}. Name it with "
                f"--set data.{kind}=COLUMN."
            )
        chosen[kind] = column
    return chosen


def _of_librispeech(root: pathlib.Path, skips: Skips) -> BySplit:
    """<subset>/<speaker>/<chapter>/<speaker>-<chapter>.trans.txt, a line for each FLAC file."""
    by_split: BySplit = {}
    for path in sorted(root.rglob(LIBRISPEECH)):
        subset = path.relative_to(root).parts[0]
        split = splits.split_name(subset.split("-")[0])
        split = split if split in splits.ALIASES else splits.WHOLE
        for line in _lines(path):
            name, _, text = line.partition(" ")
            file = _sound(within(root, path.parent / name))
            if file is None:
                skips(f"{path}: there is no sound file {name}.")
                continue
            speaker = name.split("-")[0]
            by_split.setdefault(split, []).append(Utterance(name, file, text, speaker))
    return by_split


def _of_ljspeech(root: pathlib.Path, skips: Skips) -> Iterator[Utterance]:
    """Lines of name|text|text with numbers written out; one person reads all of it."""
    for number, line in enumerate(_lines(root / LJSPEECH), 1):
        name, *texts = line.split("|")
        file = _sound(within(root, root / "wavs" / name))
        if file is None or not texts:
            skips(f"{root / LJSPEECH}, line {number}: no sound file {name}, or no text.")
        else:
            yield Utterance(name, file, texts[-1], name)


def _sound(stem: pathlib.Path) -> pathlib.Path | None:
    suffixes: Sequence[str] = (".flac", ".wav", ".ogg", ".opus", ".mp3")
    places = (stem.with_name(stem.name + suffix) for suffix in suffixes)
    return next((place for place in places if place.is_file()), None)


def _lines(path: pathlib.Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (UnicodeDecodeError, OSError) as error:
        raise UserError(f"{path} cannot be read ({error}).") from error
    return [line for line in lines if line.strip()]
