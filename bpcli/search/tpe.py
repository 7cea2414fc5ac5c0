"""The values of a trial by Optuna's tree-structured Parzen estimator, and what mattered.

Importing this module imports Optuna, the extra `search`. Optuna keeps nothing: every question is answered from the
trials that it is shown, with a sampler of its own whose seed follows from the search's seed and the trial's number. So
a search that goes on after a crash asks what it would have asked.
"""

import json
import warnings
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.samplers import TPESampler
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from bpcli.storage.search_file import Range, Search, Setting
from bpcli.storage.trials import Trial, ranked

_SHOWN = 80  # trials that the sampler looks at: the best quarter of them, and the latest; more cost time alone
_NO_TIME = datetime(2000, 1, 1)
_ENOUGH = 12  # trials below which nothing can be said of what mattered


class _Shown(InMemoryStorage):
    """A storage whose only trials are those that it was given."""

    def __init__(self, trials: Sequence[FrozenTrial]) -> None:
        super().__init__()
        self._given = list(trials)

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: "Container[TrialState] | None" = None
    ) -> list[FrozenTrial]:
        """Return the trials, of some states only if that is wanted."""
        return [trial for trial in self._given if states is None or trial.state in states]


def sample(search: Search, trials: Sequence[Trial]) -> dict[str, object]:
    """Return the values of the next trial."""
    seed = int(np.random.SeedSequence([search.seed, len(trials)]).generate_state(1)[0])
    space = _distributions(search)
    frozen = [_frozen(search, trial, space) for trial in _shown(search, trials)]
    with _quiet():
        sampler = TPESampler(seed=seed, multivariate=True, constant_liar=True)
        study = optuna.create_study(
            direction="maximize" if search.maximizes else "minimize", sampler=sampler, storage=_Shown(frozen)
        )
        found = study.ask(space).params
    return {key: _value(search.space[key], value) for key, value in found.items()}


def importances(search: Search, trials: Sequence[Trial]) -> dict[str, float]:
    """Return the share of each key in what tells good trials from others, greatest first; {} if trials are too few.

    By PED-ANOVA (Watanabe et al. 2023, arXiv:2304.10255), which needs no further package, from the scores at the first
    rung, which every trial reaches.
    """
    rung = search.rungs[0] if search.rungs else search.config.train.epochs
    known = [trial for trial in trials if not trial.failed and (trial.epochs >= rung or trial.finished)]
    if len(known) < _ENOUGH or len(search.space) < 2:
        return {}
    space = _distributions(search)
    scores = [trial.scores[:rung][-1] for trial in known]
    frozen = [
        create_trial(params=_internal(search, trial), distributions=dict(space), value=score)
        for trial, score in zip(known, scores, strict=True)
    ]
    with _quiet():
        study = optuna.create_study(direction="maximize" if search.maximizes else "minimize")
        study.add_trials(frozen)
        return dict(get_param_importances(study, evaluator=PedAnovaImportanceEvaluator()))


@contextmanager
def _quiet() -> Iterator[None]:
    """Let Optuna log nothing, and warn of no experiment."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _shown(search: Search, trials: Sequence[Trial]) -> list[Trial]:
    """Return the trials that the sampler looks at, in their order."""
    if len(trials) <= _SHOWN:
        return list(trials)
    best = ranked(trials, search)[: _SHOWN // 4]
    chosen = {trial.number for trial in best}
    for trial in reversed(trials):
        if len(chosen) < _SHOWN:
            chosen.add(trial.number)
    return [trial for trial in trials if trial.number in chosen]


def _distributions(search: Search) -> dict[str, BaseDistribution]:
    base = search.values(search.config)
    return {key: _distribution(setting, base[key]) for key, setting in search.space.items()}


def _distribution(setting: Setting, usual: object) -> BaseDistribution:
    """Return Optuna's form of a setting; a range is of integers where the key has integers."""
    if not isinstance(setting, Range):
        return CategoricalDistribution([json.dumps(value) for value in setting.values])
    if not any(isinstance(each, float) for each in (usual, setting.min, setting.max)):
        return IntDistribution(int(setting.min), int(setting.max), log=setting.log)
    return FloatDistribution(setting.min, setting.max, log=setting.log)


def _value(setting: Setting, value: object) -> object:
    return value if isinstance(setting, Range) else json.loads(str(value))


def _internal(search: Search, trial: Trial) -> dict[str, object]:
    """Return a trial's values in Optuna's form: lists and names are texts."""
    return {
        key: trial.values[key] if isinstance(setting, Range) else _matching(setting.values, trial.values[key])
        for key, setting in search.space.items()
    }


def _matching(values: Sequence[object], value: object) -> str:
    """Return the text of the choice that a configuration's value came from, such as 1 for 1.0."""
    return json.dumps(next((each for each in values if each == value), values[0]))


def _frozen(search: Search, trial: Trial, space: Mapping[str, BaseDistribution]) -> FrozenTrial:
    """Return a trial in Optuna's form. One that has failed is worse than all others; one without a score is running."""
    state, score = TrialState.PRUNED, None
    if trial.finished:
        state, score = TrialState.COMPLETE, trial.score
    elif not trial.failed and not trial.epochs:
        state = TrialState.RUNNING
    number = trial.number + 1  # the trial that is asked for has the number 0 in its study
    return FrozenTrial(
        number=number,
        trial_id=number,
        state=state,
        value=score,
        params=_internal(search, trial),
        distributions=dict(space),
        intermediate_values={} if trial.failed or trial.score is None else {trial.epochs: trial.score},
        datetime_start=_NO_TIME,
        datetime_complete=None if state == TrialState.RUNNING else _NO_TIME,
        user_attrs={},
        system_attrs={},
    )
