from __future__ import annotations

import pickle
import threading

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ferdata.core.errors import BuildError, UnknownNameError
from ferdata.data import FIELDS, SplitArrays
from ferdata.data.buffers import BufferPool
from ferdata.data.selection import Locator


def same(gathered, arrays, indices):
    for field, values in gathered.items():
        if field == "index":
            expected = list(indices)
        elif isinstance(arrays[field], list):
            expected = [arrays[field][index] for index in indices]
        else:
            expected = arrays[field][list(indices)]
        np.testing.assert_array_equal(values, expected, err_msg=field)


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_every_field_of_every_row(mini, split):
    arrays = SplitArrays(mini.root, split)
    same(arrays.gather(range(len(arrays)), FIELDS), mini.arrays[split], range(len(arrays)))


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
@given(indices=st.lists(st.integers(0, 99), max_size=90), ascending=st.booleans())
def test_rows_come_in_the_order_asked_for(mini, indices, ascending):
    indices = sorted(indices) if ascending else indices
    gathered = SplitArrays(mini.root, "train").gather(indices, FIELDS)
    assert gathered["image"].shape == (len(indices), 20, 20, 3)
    assert gathered["image"].dtype == np.uint8
    same(gathered, mini.arrays["train"], indices)


def test_dtypes_and_shapes(mini):
    gathered = SplitArrays(mini.root, "train").gather(np.arange(7), FIELDS)
    assert gathered["landmarks"].shape == (7, 5, 2)
    assert gathered["landmarks"].dtype == np.float32
    assert gathered["label"].dtype == np.int64
    assert np.isnan(gathered["arousal"]).all()
    assert gathered["sample_id"][0] == "mini/größe_0_0000"


def test_index_out_of_range(mini):
    arrays = SplitArrays(mini.root, "train")
    for bad in ([100], [0, 5, -101], [3, 10**6]):
        with pytest.raises(IndexError, match="100 rows"):
            arrays.gather(bad)
    same(arrays.gather([-1, -100]), mini.arrays["train"], [99, 0])


def test_unknown_column(mini):
    with pytest.raises(UnknownNameError, match="label"):
        SplitArrays(mini.root, "train").column("labels")


@pytest.mark.parametrize("channels", [1, 3])
def test_png_is_exact(make_build, channels):
    mini = make_build(encoding="png", channels=channels)
    arrays = SplitArrays(mini.root, "train")
    indices = [99, 0, 31, 30, 5]
    same(arrays.gather(indices, FIELDS), mini.arrays["train"], indices)


def test_jpeg_is_close(make_build):
    mini = make_build(encoding="jpeg", smooth=True)
    image = SplitArrays(mini.root, "train").gather([64, 3])["image"]
    assert np.abs(image.astype(int) - mini.arrays["train"]["image"][[64, 3]]).mean() < 3


def test_broken_encoded_image_is_named(make_build):
    mini = make_build(encoding="png")
    with h5py.File(mini.root / "hdf5" / "train-00001-of-00004.h5", "r+") as file:
        file["image"][4] = np.frombuffer(b"no picture", np.uint8)
    with pytest.raises(BuildError, match=r"train-00001-of-00004\.h5: image 4 is not decodable"):
        SplitArrays(mini.root, "train").gather([35])


def test_class_counts_and_weights(mini):
    arrays = SplitArrays(mini.root, "train")
    counts = np.bincount(mini.arrays["train"]["label"])
    np.testing.assert_array_equal(arrays.class_counts(), counts)
    np.testing.assert_allclose(arrays.class_weights(), 100 / counts, rtol=1e-6)


def test_class_without_rows_has_weight_zero(make_build):
    mini = make_build({"train": [3]})  # labels 0, 0, 0
    np.testing.assert_array_equal(SplitArrays(mini.root, "train").class_weights(), [1, 0, 0])


def test_nothing_open_is_pickled(make_build):
    for encoding in ("raw", "png"):
        mini = make_build(encoding=encoding, folder=encoding)
        arrays = SplitArrays(mini.root, "train")
        untouched = len(pickle.dumps(arrays))
        arrays.gather(range(100), FIELDS)
        pickled = pickle.dumps(arrays)
        assert len(pickled) == untouched < 5_000
        again = pickle.loads(pickled)  # noqa: S301 - pickled here
        same(again.gather([42, 7]), mini.arrays["train"], [42, 7])


def test_batches_do_not_write_to_the_shards(mini):
    arrays = SplitArrays(mini.root, "train")
    arrays.gather(range(100))["image"][:] = 0
    arrays.gather([9, 1])["image"][:] = 0
    same(arrays.gather(range(100)), mini.arrays["train"], range(100))


@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=6),
    batch_size=st.integers(1, 17),
    block_size=st.integers(1, 4),
    sort=st.booleans(),
    seed=st.integers(0, 99),
    first=st.integers(0, 3),
)
def test_located_batches_are_the_order_in_pieces(sizes, batch_size, block_size, sort, seed, first):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ferdata.data.selection._BLOCK", block_size)
        check_pieces(sizes, batch_size, sort, seed, first)


def check_pieces(sizes, batch_size, sort, seed, first):
    locator = Locator(sizes)
    order = np.random.default_rng(seed).permutation(len(locator))
    borders = np.cumsum([0, *sizes])
    blocks = list(locator.blocks(order, batch_size, first=first, sort=sort))
    batches = [batch for block in blocks for batch in block.batches]
    for number, batch in enumerate(batches, start=first):
        expected = order[number * batch_size : (number + 1) * batch_size]
        np.testing.assert_array_equal(batch.index, np.sort(expected) if sort else expected)
        np.testing.assert_array_equal(borders[batch.shards] + batch.rows, batch.index)
        runs = batch.runs or []
        if batch.runs is None:
            assert len(expected) < 4 * (1 + np.count_nonzero(np.diff(batch.shards)))
            continue
        assert [position for _, *run in runs for position in range(*run)] == list(
            range(len(expected))
        )
        for shard, start, stop in runs:
            assert set(batch.shards[start:stop].tolist()) == {shard}
    assert sum(len(batch.index) for batch in batches) == max(len(order) - first * batch_size, 0)


def address(array):
    return array.__array_interface__["data"][0]


def test_pool_reuses_memory_only_when_nobody_holds_a_view():
    pool = BufferPool((10, 10), np.uint8)
    first = pool.empty(4)
    view = first[2][3:]
    place = address(first)
    del first
    held = pool.empty(4)
    assert address(held) != place  # dropped, but `view` lives
    del view
    assert address(pool.empty(3)) == place  # fewer rows fit too
    assert address(held) != place
    assert pool.empty(5).shape == (5, 10, 10)


def test_pool_honors_tensors():
    torch = pytest.importorskip("torch")
    pool = BufferPool((100,), np.float32)
    array = pool.empty(4)
    place = address(array)
    tensor = torch.from_numpy(array)[1:].view(-1)
    del array
    assert address(pool.empty(4)) != place
    del tensor
    assert address(pool.empty(4)) == place


def test_pool_lends_each_array_once_between_threads():
    pool = BufferPool((50,), np.int64, keep=3)
    wrong = []

    def work(number):
        for _ in range(3000):
            array = pool.empty(2)
            array[:] = number
            if (array != number).any():
                wrong.append(number)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong
