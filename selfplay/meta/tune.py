"""Finding the settings of adaptation by Bayesian optimisation: what `selfplay meta-tune` does.

A trial adapts an initialisation to each validation variant with its settings, for the same number of
self-play positions, and is worth the area under its adaptation curve (see `area`). Settings are proposed by
TPE (Bergstra et al. 2011, as Optuna has it); after each few variants a trial that lags behind the median of
the others is given up. In the end the best few and the settings so far are measured again with fresh seeds,
because the best of many noisy trials looks better than it is, and the best of those is taken.

Everything is kept in a journal, so that a stopped search goes on.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from games import RunError, UserError
from selfplay.config import TrainConfig, read_config
from selfplay.meta.adapt import SETTINGS, default_config

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

Value = float | int
Settings = dict[str, Value]
"""By dotted key, such as `learner.learning_rate`."""


class Knob(NamedTuple):
    """A setting and its range, both ends included; log: drawn evenly by its logarithm."""

    key: str
    low: float
    high: float
    log: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether it counts something."""
        return isinstance(self.low, int)

    def suggest(self, trial: Trial) -> Value:
        """A value for a trial."""
        if self.is_whole:
            return trial.suggest_int(self.key, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(self.key, self.low, self.high, log=self.log)

    def clipped(self, value: Value) -> Value:
        """The nearest value in range."""
        nearest = min(max(value, self.low), self.high)
        return int(nearest) if self.is_whole else float(nearest)


KNOBS = (
    Knob("learner.learning_rate", 1e-4, 1e-2, log=True),
    Knob("learner.final_rate", 0.02, 1.0, log=True),
    Knob("learner.warmup_steps", 0, 200),
    Knob("learner.batch_size", 64, 512, log=True),
    Knob("learner.samples_per_position", 1.0, 32.0, log=True),
    Knob("learner.ema_decay", 0.9, 0.998),
    Knob("learner.window_min", 2_000, 50_000, log=True),
    Knob("learner.first_positions", 64, 2_048, log=True),
    Knob("selfplay.games", 32, 256, log=True),
    Knob("selfplay.advances", 16, 128, log=True),
    Knob("selfplay.simulations", 8, 64, log=True),
    Knob("selfplay.opening_share", 0.0, 1.0),
    Knob("selfplay.rehearsal", 0.0, 0.3),
)
"""What is searched."""

POINTS = 4
"""Measured points of a trial's curve, each at twice the positions of the one before."""

GRID = 64
"""Points at which the area adds up the strength."""

FIRST_RANDOM = 8
"""Trials before TPE proposes, and before one is given up."""

_FACTS = "conditions"
"""Attribute of a study that says what its trials have in common."""


class TuneConfig(BaseModel):
    """A search."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trials: int = Field(40, ge=1, description="trials in all, those given up included")
    minutes: float | None = Field(None, gt=0, description="no new trial begins after this time")
    positions: int = Field(2_000, ge=8, description="self-play positions of each adaptation")
    seeds: int = Field(2, ge=1, description="adaptations to each variant")
    seed: int = Field(0, ge=0, description="of the first adaptation, and of TPE")
    threads: int = Field(2, ge=1, description="adaptations at a time, each on one thread")
    pruner: Literal["median", "hyperband", "none"] = Field(
        "median", description="how trials that lag behind are given up"
    )
    confirmed: int = Field(3, ge=1, description="best trials that are measured again, beside the defaults")
    fixed: tuple[str, ...] = Field((), description="settings that aren't searched, as key=value")

    def at(self) -> list[int]:
        """Positions at which a trial is measured."""
        return [0, *(self.positions // 2**i for i in reversed(range(POINTS)))]


Judged = Callable[[TrainConfig, int], float]
"""From a configuration and a variant's number to the area under its curve."""


class Told(NamedTuple):
    """How a search goes on: words for a person, and the share of it that is done."""

    line: str
    share: float
    seconds: float


class Tuned(NamedTuple):
    """What a search found.

    settings: the best, as far as they were searched
    score: their area with fresh seeds; before: that of the defaults
    report: everything as JSON
    """

    settings: Settings
    score: float
    before: float
    report: dict[str, Any]


def tune(
    judged: Judged,
    variants: Sequence[str],
    config: TuneConfig,
    storage: Path,
    *,
    source: str = "",
    tell: Callable[[Told], object] = lambda _: None,
) -> Tuned:
    """Search, or go on with a search, until the trials or the minutes are spent.

    Args:
        judged: measures one adaptation; may be called by several threads.
        variants: names of those that it knows.
        config: see there.
        storage: the journal; a new one is made.
        source: what identifies the initialisation.
        tell: is told after each trial.

    Raises:
        RunError: the journal is of another search, or can't be read; one line.
    """
    search = _Search(judged, variants, config, tell)
    study = _opened(storage, config, search.facts(source), len(variants))
    search.run(study)
    return search.confirm(study)


def area(points: Sequence[tuple[int, float]], at: Sequence[int]) -> float:
    """Mean strength over the logarithm of positions, from the first positive of `at` to its last.

    points: recorded positions and strength; strength between them runs evenly with log(1 + positions), so
    that who is measured later than asked gains nothing by it. Unknown strengths are left out.
    """
    known = [(x, y) for x, y in points if not math.isnan(y)]
    if not known:
        return math.nan
    x, y = np.array(known, np.float64).T
    first = next(target for target in at if target > 0)
    grid = np.linspace(np.log1p(first), np.log1p(at[-1]), GRID)
    return float(np.interp(grid, np.log1p(x), y).mean())


def trial_config(settings: Mapping[str, Value], config: TuneConfig, *, seed: int) -> TrainConfig:
    """Adaptation with these settings on one thread for the trial's positions, without an early end."""
    common = (
        "selfplay.threads=1", "stop.enabled=false", f"positions={config.positions}", f"seed={seed}",
        *config.fixed,
    )  # fmt: skip
    values = [f"{key}={value}" for key, value in settings.items()]
    return read_config(None, [*common, *values], base=default_config())


def searched(config: TuneConfig) -> tuple[Knob, ...]:
    """The settings that aren't fixed."""
    fixed = {text.partition("=")[0].strip() for text in config.fixed}
    return tuple(knob for knob in KNOBS if knob.key not in fixed)


def held(config: TuneConfig) -> Settings:
    """Those that could be searched and are fixed: what is found belongs to them."""
    free = {knob.key for knob in searched(config)}
    return _values(trial_config({}, config, seed=0), [knob for knob in KNOBS if knob.key not in free])


def defaults(knobs: Sequence[Knob]) -> Settings:
    """What adaptation does now, within the ranges."""
    values = _values(default_config(), knobs)
    return {knob.key: knob.clipped(values[knob.key]) for knob in knobs}


def _values(config: TrainConfig, knobs: Sequence[Knob]) -> Settings:
    data = config.model_dump()
    keys = [knob.key.split(".") for knob in knobs]
    return {f"{section}.{name}": data[section][name] for section, name in keys}


def settings_file(found: Mapping[str, Value], words: str) -> str:
    """`adapt.toml` with other values; words: comment at its head."""
    import tomllib

    import tomli_w

    text = resources.files("selfplay.meta").joinpath(SETTINGS).read_text(encoding="utf-8")
    data: dict[str, Any] = tomllib.loads(text)
    for key, value in found.items():
        section, name = key.split(".")
        data.setdefault(section, {})[name] = value if isinstance(value, int) else float(f"{value:.3g}")
    head = "\n".join(f"# {line}" for line in words.splitlines())
    return f"{head}\n\n{tomli_w.dumps(data)}"


class _Search:
    """Trials one after the other, each a loop over variants and seeds."""

    def __init__(
        self, judged: Judged, variants: Sequence[str], config: TuneConfig, tell: Callable[[Told], object]
    ) -> None:
        self._judged, self._variants, self._config, self._tell = judged, tuple(variants), config, tell
        self._knobs = searched(config)
        self._began = time.perf_counter()

    def facts(self, source: str) -> dict[str, Any]:
        """What all trials of a search have in common."""
        alike = self._config.model_dump(mode="json", exclude={"trials", "minutes", "threads", "confirmed"})
        knobs = [list(knob) for knob in self._knobs]
        base = hashlib.sha256(default_config().model_dump_json().encode()).hexdigest()[:16]
        return {
            **alike, "variants": list(self._variants), "knobs": knobs, "init": source, "defaults": base
        }  # fmt: skip

    def run(self, study: Study) -> None:
        """Try settings until the trials or the minutes are spent; the defaults come first."""
        from optuna.trial import TrialState

        first = defaults(self._knobs)
        already = len(_finished(study))
        if not any(trial.params == first for trial in _finished(study)):
            study.enqueue_trial(first)
        while (done := len(_finished(study))) < self._config.trials and not self._is_late():
            trial = study.ask()
            try:
                score = self._try(trial)
            except BaseException:
                study.tell(trial, state=TrialState.FAIL)
                raise
            if score is None:
                study.tell(trial, state=TrialState.PRUNED)
            else:
                study.tell(trial, score)
            self._report(study, trial, score, done + 1, already)

    def confirm(self, study: Study) -> Tuned:
        """Measure the best trials and the defaults again with fresh seeds; `RunError` if there is none."""
        first = defaults(self._knobs)
        complete = sorted(_complete(study), key=lambda trial: -_value(trial))
        if not complete:
            raise RunError("expected at least one finished trial, got none: more --minutes are needed")
        candidates = [first]
        for trial in complete[: self._config.confirmed]:
            if trial.params not in candidates:
                candidates.append(dict(trial.params))
        seed = self._config.seed + self._config.seeds
        scores = []
        for number, settings in enumerate(candidates):
            scores.append(self._remembered(study, settings, seed))
            words = "the defaults" if number == 0 else f"candidate {number} of {len(candidates) - 1}"
            self._tell(Told(f"{words} with fresh seeds: {scores[-1]:.4f}", 1.0, self._seconds()))
        best = int(np.argmax(scores))
        confirmed = [{"settings": s, "score": v} for s, v in zip(candidates, scores, strict=True)]
        report = {
            "conditions": study.user_attrs[_FACTS],
            "best": candidates[best],
            "score": scores[best],
            "defaults": scores[0],
            "confirmed": confirmed,
            "trials": [_trial_report(trial) for trial in study.get_trials(deepcopy=False)],
        }
        return Tuned(candidates[best], scores[best], scores[0], report)

    def _try(self, trial: Trial) -> float | None:
        """A trial's score, None if it is given up on the way."""
        settings = {knob.key: knob.suggest(trial) for knob in self._knobs}
        for met, score in self._scores(settings, self._config.seed):
            lags = self._lags(trial, score, met)
            trial.report(score, step=met)
            if met < len(self._variants) and (lags or trial.should_prune()):
                return None
        trial.set_user_attr("score", score)
        return score

    def _lags(self, trial: Trial, score: float, met: int) -> bool:
        """Whether a trial is under the median of the others after as many variants.

        Optuna's own rule holds a trial's best step against the others, but here the first steps may be easy.
        """
        if self._config.pruner != "median":
            return False
        others = [t.intermediate_values.get(met) for t in _finished(trial.study)]
        known = [value for value in others if value is not None]
        return len(known) >= FIRST_RANDOM and score < float(np.median(known))

    def _scores(self, settings: Mapping[str, Value], seed: int) -> Iterator[tuple[int, float]]:
        """Variants met so far and the mean of their areas, after each few; they come in the same order."""
        from concurrent.futures import ThreadPoolExecutor

        configs = [trial_config(settings, self._config, seed=seed + i) for i in range(self._config.seeds)]
        together = max(1, self._config.threads // len(configs))
        areas: list[float] = []
        with ThreadPoolExecutor(self._config.threads) as pool:
            for first in range(0, len(self._variants), together):
                numbers = range(first, min(first + together, len(self._variants)))
                jobs = [pool.submit(self._judged, c, number) for number in numbers for c in configs]
                areas += [job.result() for job in jobs]
                yield numbers[-1] + 1, float(np.nanmean(areas))

    def _remembered(self, study: Study, settings: Settings, seed: int) -> float:
        """A confirmation's score; kept in the journal, so that it is measured once."""
        key = f"confirmed {json.dumps([settings, seed], sort_keys=True)}"
        known: float | None = study.user_attrs.get(key)
        if known is None:
            *_, (_, known) = self._scores(settings, seed)
            study.set_user_attr(key, known)
        return known

    def _report(self, study: Study, trial: Trial, score: float | None, done: int, already: int) -> None:
        complete = _complete(study)
        best = max(complete, key=_value, default=None)
        words = f"trial {trial.number}: " + ("given up" if score is None else f"{score:.4f}")
        if best is not None:
            words += f" (best so far {_value(best):.4f}, trial {best.number})"
        shares = [(done - already) / max(1, self._config.trials - already)]
        if self._config.minutes is not None:
            shares.append(self._seconds() / (60.0 * self._config.minutes))
        self._tell(Told(words, min(1.0, max(shares)), self._seconds()))

    def _seconds(self) -> float:
        return time.perf_counter() - self._began

    def _is_late(self) -> bool:
        minutes = self._config.minutes
        return minutes is not None and self._seconds() >= 60.0 * minutes


def _opened(storage: Path, config: TuneConfig, facts: dict[str, Any], variants: int) -> Study:
    """The study in a journal, new or gone on with; `RunError` if it is another one."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    hyperband = optuna.pruners.HyperbandPruner(min_resource=1, max_resource=variants)
    with _quiet(), _readable(storage):
        study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(storage))),
            study_name="meta-tune",
            direction="maximize",
            load_if_exists=True,
            pruner=hyperband if config.pruner == "hyperband" else optuna.pruners.NopPruner(),
        )
        number = len(study.get_trials(deepcopy=False))
        study.sampler = optuna.samplers.TPESampler(
            seed=config.seed + number, n_startup_trials=FIRST_RANDOM, multivariate=True
        )
    known = study.user_attrs.get(_FACTS)
    if known is None:
        study.set_user_attr(_FACTS, facts)
    elif known != json.loads(json.dumps(facts)):
        changed = ", ".join(
            key for key, value in json.loads(json.dumps(facts)).items() if value != known.get(key)
        )
        raise RunError(f"{storage}: expected a search with equal {changed}; choose another --storage")
    return study


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Optuna's log lines and its warnings of features that may change."""
    import warnings

    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield


@contextmanager
def _readable(storage: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RunError(f"{storage}: can't keep the search there: {error.strerror or error}") from None
    except UserError:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{storage}: expected the journal of a search, got {error}") from None


def _finished(study: Study) -> list[FrozenTrial]:
    """Trials that came to an end, those given up included; not those that Ctrl-C cut short."""
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))


def _complete(study: Study) -> list[FrozenTrial]:
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def _value(trial: FrozenTrial) -> float:
    assert trial.value is not None
    return trial.value


def _trial_report(trial: FrozenTrial) -> dict[str, Any]:
    """A trial as JSON; `areas`: means over the variants met so far, by their number."""
    duration = trial.duration
    return {
        "number": trial.number,
        "state": trial.state.name.lower(),
        "settings": trial.params,
        "score": trial.value,
        "areas": trial.intermediate_values,
        "seconds": None if duration is None else round(duration.total_seconds(), 1),
    }
