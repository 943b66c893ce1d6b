"""The order in which MosaicML Streaming's stratified batches deliver documents.

    python streaming_stratified.py GIVEN.npz ORDER.npy

Run by an interpreter that has `mosaicml-streaming`. GIVEN holds `stratum` (a number for
each row), `batch_size`, `samples` (the length of an epoch; 0 for every row once) and
`proportions` (by stratum; only with `samples`). A stratum becomes a stream.
"""

import pathlib
import sys
import tempfile

import numpy as np
from streaming import MDSWriter, Stream, StreamingDataset


def _write(folder: pathlib.Path, rows: np.ndarray) -> str:
    with MDSWriter(out=str(folder), columns={"row": "int"}) as writer:
        for row in rows:
            writer.write({"row": int(row)})
    return str(folder)


def _streams(given: dict[str, np.ndarray], folder: pathlib.Path) -> list[Stream]:
    streams, samples = [], int(given["samples"])
    for number in np.unique(given["stratum"]):
        place = _write(folder / str(number), np.flatnonzero(given["stratum"] == number))
        share = {"proportion": float(given["proportions"][number])} if samples else {}
        streams.append(Stream(local=place, **share))
    return streams


def main() -> None:
    """Writes the strata as streams, then reads one epoch."""
    given = dict(np.load(sys.argv[1]))
    with tempfile.TemporaryDirectory() as folder:
        dataset = StreamingDataset(
            streams=_streams(given, pathlib.Path(folder)),
            batch_size=int(given["batch_size"]),
            batching_method="stratified",
            shuffle=True,
            shuffle_seed=1,
            num_canonical_nodes=1,
            epoch_size=int(given["samples"]) or None,
        )
        order = np.array([sample["row"] for sample in dataset], np.int64)
    np.save(sys.argv[2], order)


if __name__ == "__main__":
    main()
