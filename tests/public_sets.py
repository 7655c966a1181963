"""What public data sets look like on disk, without their records."""

import pathlib
from collections.abc import Iterable

import tensorflow_datasets as tfds


def write_metadata(name: str, splits: Iterable[str], place: pathlib.Path, count: int) -> None:
    """What a prepared set of tensorflow-datasets would have besides its records.

    `tfds.testing.mock_data` draws those by the features that the set declares.

    Args:
        name: as tensorflow-datasets has it.
        splits: their names.
        place: the data folder of tensorflow-datasets.
        count: records of every split.
    """
    builder = tfds.builder(name, data_dir=str(place))
    folder = pathlib.Path(builder.data_dir)
    layout = tfds.core.ShardedFileTemplate(
        data_dir=folder, dataset_name=builder.name, filetype_suffix="tfrecord"
    )
    infos = [
        tfds.core.SplitInfo(
            name=split,
            shard_lengths=[count],
            num_bytes=0,
            filename_template=layout.replace(split=split),
        )
        for split in splits
    ]
    builder.info.set_splits(tfds.core.splits.SplitDict(infos))
    folder.mkdir(parents=True)
    builder.info.write_to_directory(builder.data_dir)
