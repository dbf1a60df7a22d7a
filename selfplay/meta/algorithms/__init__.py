"""Meta-learning algorithms, one file each; `algorithm(name, net, config)` makes one.

Importing this package doesn't load torch; making an algorithm does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, get_args

from games.errors import UserError
from selfplay.meta.algorithms.config import AlgorithmName, MetaLearningConfig

if TYPE_CHECKING:
    from models.network import PolicyValueNet
    from selfplay.meta.algorithms.base import MetaAlgorithm

NAMES: tuple[str, ...] = get_args(AlgorithmName)

_CLASSES = {
    "maml": "Maml",
    "fomaml": "FirstOrderMaml",
    "reptile": "Reptile",
    "anil": "Anil",
    "meta-sgd": "MetaSgd",
    "cavia": "Cavia",
    "learned-optimizer": "LearnedOptimizer",
    "prototypes": "Prototypes",
    "joint": "Joint",
    "pretrain": "Pretrain",
    "scratch": "Scratch",
}


def algorithm_class(name: str) -> type[MetaAlgorithm]:
    """The class of an algorithm; raises `UserError` for a name that isn't one."""
    if name not in _CLASSES:
        raise UserError(f"expected an algorithm out of {', '.join(NAMES)}, got {name}")
    module = importlib.import_module(f"selfplay.meta.algorithms.{name.replace('-', '_')}")
    found: type[MetaAlgorithm] = getattr(module, _CLASSES[name])
    return found


def algorithm(name: str, net: PolicyValueNet, config: MetaLearningConfig) -> MetaAlgorithm:
    """An algorithm that starts from `net`'s weights, on `net`'s device; `net` itself isn't changed.

    Raises:
        UserError: a name that isn't an algorithm.
    """
    from selfplay.meta.objective import GameObjective

    made = algorithm_class(name)
    config = MetaLearningConfig.model_validate(config.model_dump() | {"algorithm": name})
    return made(dict(net.named_parameters()), GameObjective(net, config), config)


__all__ = ["NAMES", "MetaLearningConfig", "algorithm", "algorithm_class"]
