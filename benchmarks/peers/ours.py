"""Our self-play, as `selfplay train` runs it, without the learning in between.

--int8   with convolutions in bytes, as with `--set selfplay.precision=int8`
"""

from __future__ import annotations

from benchmarks.peers.conditions import count, read_conditions, takes_flag

INT8 = takes_flag("--int8")
CONDITIONS = read_conditions()

import games  # noqa: E402
from models.config import NetworkConfig  # noqa: E402
from selfplay.config import SelfPlayConfig, TrainConfig  # noqa: E402
from selfplay.kernels import MOVES  # noqa: E402
from selfplay.loop import Training  # noqa: E402


def main() -> None:
    """Play until the time is over."""
    threads = len(CONDITIONS.cores)
    config = TrainConfig(
        positions=10**9,
        network=NetworkConfig(blocks=CONDITIONS.blocks, channels=CONDITIONS.channels),
        selfplay=SelfPlayConfig(
            games=CONDITIONS.batch,
            threads=threads,
            advances=64,
            simulations=CONDITIONS.simulations,
            solver_nodes=0,  # which no peer has
            precision="int8" if INT8 else "auto",
        ),
    )
    training = Training(config, [games.load("connect4")])

    def some() -> int:
        before = sum(int(actor.counts[MOVES]) for actor in training.actors)
        training._play()
        return sum(int(actor.counts[MOVES]) for actor in training.actors) - before

    count(some, CONDITIONS.seconds)


main()
