from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ferdata.core.errors import OptionError  # noqa: E402
from ferdata.data import ShardLoader  # noqa: E402
from ferdata.data.order import epoch_order  # noqa: E402
from ferdata.data.prefetch import prefetch  # noqa: E402


def rows_of(loader):
    return [batch["index"].tolist() for batch in loader]


def flat(batches):
    return [row for batch in batches for row in batch]


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "ferdata-prefetch"]


def wait_until(condition):
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    return condition()


@pytest.mark.parametrize("encoding", ["raw", "png"])
@pytest.mark.parametrize("shuffle", [True, False])
def test_an_epoch_holds_every_row_once(make_build, encoding, shuffle):
    mini = make_build({"train": [31, 40, 17, 12]}, encoding=encoding)
    loader = ShardLoader(mini.root, "train", 16, shuffle=shuffle)
    rows = []
    for batch in loader:
        index = batch["index"].numpy()
        np.testing.assert_array_equal(batch["image"].numpy(), mini.arrays["train"]["image"][index])
        np.testing.assert_array_equal(batch["label"].numpy(), mini.arrays["train"]["label"][index])
        assert (np.diff(index) > 0).all()
        rows += index.tolist()
        time.sleep(0.001)  # a consumer with work to do, so that the thread runs
    assert (rows == list(range(100))) is not shuffle
    assert sorted(rows) == list(range(100))
    assert len(loader) == 7
    assert not threads()


def test_batches_that_are_kept_stay_as_they_are(mini):
    kept = [
        batch for epoch in range(3) for batch in ShardLoader(mini.root, batch_size=3, seed=epoch)
    ]
    for batch in kept:
        index = batch["index"].numpy()
        np.testing.assert_array_equal(batch["image"].numpy(), mini.arrays["train"]["image"][index])


def test_part_of_a_batch_that_is_kept_stays_as_it_is(mini):
    loader = ShardLoader(mini.root, batch_size=8)
    for _ in range(4):
        kept = []
        for batch in loader:
            kept.append((batch["index"][0].item(), batch["image"][0]))
            time.sleep(0.001)
        for row, image in kept:
            np.testing.assert_array_equal(image.numpy(), mini.arrays["train"]["image"][row])


def test_order_depends_on_seed_and_epoch_alone(mini):
    loader = ShardLoader(mini.root, batch_size=16, seed=5)
    first, second = rows_of(loader), rows_of(loader)
    assert first != second
    loader.set_epoch(0)
    assert rows_of(loader) == first
    loader.set_epoch(1)
    assert rows_of(loader) == second
    assert rows_of(ShardLoader(mini.root, batch_size=16, seed=5, prefetch=0)) == first
    assert rows_of(ShardLoader(mini.root, batch_size=16, seed=6)) != first


def test_order_is_the_same_in_another_process(mini):
    program = (
        "from ferdata.data import ShardLoader;"
        f"print([b['index'].tolist() for b in ShardLoader({str(mini.root)!r}, batch_size=16)])"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout
    assert printed.strip() == str(rows_of(ShardLoader(mini.root, batch_size=16)))


def test_the_order_of_an_epoch_never_changes_between_versions():
    order = epoch_order(12, shuffle=True, seed=0, epoch=0)
    assert order.tolist() == [1, 3, 7, 4, 5, 9, 6, 8, 2, 10, 0, 11]


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("world_size", [1, 2, 3, 8])
def test_ranks_share_an_epoch(mini, world_size, shuffle):
    def parts(**options):
        loaders = [
            ShardLoader(mini.root, "train", 7, shuffle=shuffle, rank=rank, world_size=world_size,
                        **options)
            for rank in range(world_size)
        ]  # fmt: skip
        rows = [rows_of(loader) for loader in loaders]
        assert [len(batches) for batches in rows] == [len(loader) for loader in loaders]
        return [flat(batches) for batches in rows]

    padded = parts()
    assert len({len(part) for part in padded}) == 1
    assert set(flat(padded)) == set(range(100))
    assert len(flat(padded)) - 100 < world_size
    cut = parts(drop_last=True)
    assert len({len(part) for part in cut}) == 1
    assert len(cut[0]) % 7 == 0
    assert len(set(flat(cut))) == len(flat(cut))  # disjoint
    assert 100 - len(flat(cut)) < 7 * world_size


def test_more_ranks_than_rows(make_build):
    mini = make_build({"train": [2]})
    parts = [flat(rows_of(ShardLoader(mini.root, rank=rank, world_size=5))) for rank in range(5)]
    assert [len(part) for part in parts] == [1] * 5
    assert set(flat(parts)) == {0, 1}


def test_resume_in_the_middle(mini):
    loader = ShardLoader(mini.root, batch_size=8, seed=3)
    rows_of(loader)
    expected = rows_of(loader)  # epoch 1
    following = rows_of(loader)
    loader.set_epoch(1)
    iterator = iter(loader)
    for _ in range(5):
        next(iterator)
        time.sleep(0.002)  # batches lying ready must not count as delivered
    state = loader.state_dict()
    assert (state["epoch"], state["position"]) == (1, 5)

    resumed = ShardLoader(mini.root, batch_size=8, seed=3)
    resumed.load_state_dict(state)
    assert resumed.state_dict() == state
    resumed.set_epoch(1)  # as Lightning says again; must not lose the position
    assert rows_of(resumed) == expected[5:]
    assert rows_of(resumed) == following


def test_state_at_the_end_of_an_epoch_is_the_next_one(mini):
    loader = ShardLoader(mini.root, batch_size=8)
    rows_of(loader)
    assert loader.state_dict()["epoch"] == 1
    assert loader.state_dict()["position"] == 0


def test_state_of_another_order_is_refused(mini):
    state = ShardLoader(mini.root, batch_size=8, seed=3).state_dict()
    with pytest.raises(OptionError, match=r"seed=3.*has 4"):
        ShardLoader(mini.root, batch_size=8, seed=4).load_state_dict(state)


@pytest.mark.parametrize(
    "options", [{"batch_size": 0}, {"rank": 2, "world_size": 2}, {"rank": -1}, {"prefetch": -1}]
)
def test_numbers_out_of_range(mini, options):
    with pytest.raises(OptionError):
        ShardLoader(mini.root, **options)
    with pytest.raises(TypeError, match="prefetsh"):
        ShardLoader(mini.root, prefetsh=0)


def busy_start(loader):
    """Take batches slowly until the thread is there."""
    iterator = iter(loader)
    for _ in range(3):
        next(iterator)
        time.sleep(0.02)
    assert threads()
    return iterator


def test_an_early_break_stops_the_thread(mini):
    for number, _ in enumerate(ShardLoader(mini.root, batch_size=4)):
        time.sleep(0.01)
        if number == 4:
            assert threads()
            break
    gc.collect()
    assert wait_until(lambda: not threads())


def test_an_abandoned_iterator_stops_the_thread(mini):
    iterator = busy_start(ShardLoader(mini.root, batch_size=4))
    del iterator
    gc.collect()
    assert wait_until(lambda: not threads())


def test_an_iterator_in_a_cycle_stops_the_thread(mini):
    holder = [busy_start(ShardLoader(mini.root, batch_size=4))]
    holder.append(holder)
    del holder
    gc.collect()
    assert wait_until(lambda: not threads())


def test_a_fast_consumer_needs_no_thread():
    made = []

    def make(number):
        time.sleep(0.003)
        made.append(threading.current_thread())
        return number

    assert list(prefetch(make, iter(range(20)), 2)) == list(range(20))
    assert set(made) == {threading.main_thread()}


def test_a_busy_consumer_finds_batches_ready():
    made = []
    for number in prefetch(lambda number: made.append(number) or number, iter(range(30)), 2):
        time.sleep(0.005)
        if 5 < number < 27:
            assert wait_until(lambda number=number: len(made) == number + 3)  # two ahead, no more
    assert made == list(range(30))


def test_no_thread_when_none_is_wanted(mini):
    for _ in ShardLoader(mini.root, batch_size=16, prefetch=0):
        time.sleep(0.002)
        assert not threads()


@pytest.mark.parametrize("away", [0, 0.004])
def test_an_error_comes_where_its_batch_would(away):
    def make(number):
        if number == 6:
            raise OSError("disk is gone")
        return number

    got = []
    with pytest.raises(OSError, match="disk is gone"):
        for number in prefetch(make, iter(range(20)), 2):
            got.append(number)
            time.sleep(away)
    assert got == list(range(6))
    assert wait_until(lambda: not threads())


def test_a_program_that_ends_in_the_middle_ends(mini):
    program = (
        "import time; from ferdata.data import ShardLoader;"
        f"batches = iter(ShardLoader({str(mini.root)!r}, batch_size=4));"
        "[(next(batches), time.sleep(0.02)) for _ in range(3)]"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_what_the_loader_knows(mini):
    loader = ShardLoader(mini.root)
    assert loader.label_space.names == ("anger", "fear", "neutral")
    assert loader.class_weights().shape == (3,)
    assert len(loader.groups) == 100
    known = "mini train: 100 images of 20×20×3, 3 classes (anger, fear, neutral)"
    assert repr(loader) == f"ShardLoader({known}; batches of 64, shuffled)"
    some = ShardLoader(mini.root, batch_size=8, shuffle=False, rows=np.arange(30))
    assert repr(some) == f"ShardLoader({known}; batches of 8 of 30 rows, in order)"


def test_memory_is_used_again_and_none_piles_up(mini):
    loader = ShardLoader(mini.root, batch_size=10, prefetch=0)
    places = {batch["image"].data_ptr() for _ in range(3) for batch in loader}
    assert len(places) <= 3
