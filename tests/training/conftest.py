"""One thread, before any fixture computes: sums of floating-point numbers depend on how many."""

import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def one_thread_from_the_start() -> None:
    torch.set_num_threads(1)
