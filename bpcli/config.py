"""The typed, frozen configuration: YAML with overrides on top. Every error names the file, the key and the value.

`configs/default.yaml` holds the defaults. Another preset or a user's file overrides some of them, and `key=value`
settings override both.
"""

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from copy import deepcopy
from functools import cache, reduce
from math import isfinite
from operator import attrgetter, getitem
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import FieldInfo

from bpcli import hints, resources
from bpcli.core.activations import ACTIVATIONS
from bpcli.core.initializers import INITIALIZERS
from bpcli.core.losses import OUTPUTS
from bpcli.core.optimizers import OPTIMIZERS
from bpcli.core.pixels import NORMALIZATIONS
from bpcli.core.schedules import SCHEDULES
from bpcli.errors import ConfigError
from bpcli.strict_yaml import MAX_LENGTH, parse_yaml, to_line, to_text

Tree = dict[str, Any]
Setting: TypeAlias = str | Mapping[str, object]  # `key=value`, the value in YAML; or keys with Python values

Width = Annotated[int, Meta(ge=1, le=100_000)]
Hidden = Annotated[tuple[Width, ...], Meta(max_length=32)]
Fraction = Annotated[float, Meta(gt=0, le=1)]
Decay = Annotated[float, Meta(ge=0, lt=1)]  # the part of a running mean that a step keeps


class DataConfig(Struct, frozen=True, kw_only=True):
    """Where the images come from and how they are split and scaled."""

    folder: str | None
    name: str | None = None  # the keys that old checkpoints lack have a default, so that these are quick to read
    validation: Annotated[int, Meta(ge=0, le=1_000_000)] | Annotated[float, Meta(ge=0, lt=1)] | Literal["auto"]
    test: Annotated[float, Meta(gt=0, lt=1)] = 0.15
    side: Annotated[int, Meta(ge=8, le=64)] = 28
    normalize: str
    deslant: bool
    width: Annotated[int, Meta(ge=4, le=64)] | None = None
    kind: Literal["auto", "digits", "any"]
    outliers: Annotated[int, Meta(ge=0, le=1_000_000)]
    outlier_kinds: Literal["classic", "clean"]
    hands: Annotated[int, Meta(ge=0, le=1_000_000)]
    printed: Annotated[int, Meta(ge=0, le=1_000_000)]

    @property
    def place(self) -> str | None:
        """The folder of the data set, which `folder` or `name` names; None for MNIST."""
        return self.folder if self.name is None else str(resources.sets() / self.name)


class ModelConfig(Struct, frozen=True):
    """The network: its hidden layers, its output units, its first weights."""

    hidden: Hidden
    activation: str | tuple[str, ...]
    output: str
    init: str
    dropout: Annotated[float, Meta(ge=0, le=0.95)]

    @property
    def activations(self) -> tuple[str, ...]:
        """The name of each hidden layer's activation."""
        return (self.activation,) * len(self.hidden) if isinstance(self.activation, str) else self.activation


class OptimizerConfig(Struct, frozen=True):
    """How a step updates the parameters from their gradient."""

    kind: str
    learning_rate: Annotated[float, Meta(gt=0, le=1000)]
    momentum: Decay
    nesterov: bool
    beta1: Decay
    beta2: Decay
    epsilon: Annotated[float, Meta(gt=0, le=1)]
    weight_decay: Annotated[float, Meta(ge=0, le=1_000_000)]


class ScheduleConfig(Struct, frozen=True):
    """The learning rate over the epochs."""

    kind: str
    milestones: Annotated[tuple[Annotated[int, Meta(ge=1, le=100_000)], ...], Meta(max_length=1000)]
    factor: Fraction
    warmup: Annotated[int, Meta(ge=0, le=100_000)] | Annotated[float, Meta(ge=0, le=100_000)]


class AugmentConfig(Struct, frozen=True):
    """How strongly training images are distorted: each distortion is drawn at random between ± its value."""

    rotation: Annotated[float, Meta(ge=0, le=180)]
    scale: Annotated[float, Meta(ge=0, le=0.9)]
    shear: Annotated[float, Meta(ge=0, le=2)]
    shift: Annotated[float, Meta(ge=0, le=14)]
    elastic_alpha: Annotated[float, Meta(ge=0, le=1000)]
    elastic_sigma: Annotated[float, Meta(ge=1, le=14)]
    stroke: Annotated[float, Meta(ge=0, le=1)]

    @property
    def distorts(self) -> bool:
        """Whether images are distorted at all."""
        return any((self.rotation, self.scale, self.shear, self.shift, self.elastic_alpha, self.stroke))


class TrainConfig(Struct, frozen=True):
    """The length of a run and the size of its steps."""

    epochs: Annotated[int, Meta(ge=1, le=100_000)]
    batch_size: Annotated[int, Meta(ge=1, le=1_000_000)]
    patience: Annotated[int, Meta(ge=1, le=100_000)] | None
    penalty_in_loss: bool
    threads: Annotated[int, Meta(ge=1, le=256)] | Literal["auto"]
    checkpoint_minutes: Annotated[float, Meta(gt=0, le=100_000)] | None
    start: str | None = None
    freeze: Annotated[int, Meta(ge=0, le=32)] = 0


class Config(Struct, frozen=True):
    """Everything that determines a run; the same configuration gives the same network."""

    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    data: DataConfig
    model: ModelConfig
    loss: str
    optimizer: OptimizerConfig
    schedule: ScheduleConfig
    augment: AugmentConfig
    train: TrainConfig


# Keys and names of older versions, which are translated silently; only the last part of a key is replaced.
_OLD_KEYS: Mapping[str, str] = {"data.strangers": "outliers"}
_MAY_BE_OFF = ("data.width",)  # off, which YAML reads as False, is another name of null
_OLD_NAMES: Mapping[str, Mapping[str, str]] = {
    "model.init": {"kaiming": "glorot_relu"},
    "data.name": {name.replace("_", "-"): name for name in resources.set_names()},  # as their authors write them
}

# The keys whose value is a name, each with the table that must contain it.
_NAMES: Mapping[str, Collection[str]] = {
    "data.name": resources.set_names(),
    "data.normalize": NORMALIZATIONS,
    "model.activation": ACTIVATIONS,
    "model.output": sorted({output for output, _ in OUTPUTS}),
    "model.init": INITIALIZERS,
    "optimizer.kind": OPTIMIZERS,
    "loss": sorted({loss for _, loss in OUTPUTS}),
    "schedule.kind": SCHEDULES,
}


def load(
    source: str = "default",
    overrides: Iterable[Setting] = (),
    inherit: Callable[[str], Tree] | None = None,
) -> Config:
    """Return the configuration of a preset or file, with settings on top.

    Args:
        source: the name of a preset, or the path of a YAML file.
        overrides: settings such as `train.epochs=3`, the value in YAML; or those that `changed` takes.
        inherit: returns what the network of a name, that of `train.start`, brings along. It replaces the defaults, and
            the source and the settings replace it.

    Raises:
        ConfigError: there is no such preset or file, or it or a setting is not valid; the message names the source, the
            key and the value, and what would be right.
    """
    path, overrides = find(source), list(overrides)
    given = {} if source == "default" else _checked(parse_yaml(_content(path), str(path)), str(path))
    layers = [given, *(layer for override in overrides for layer in _layers(override))]
    tree, brought = _layered(_defaults(), layers), list[Tree]()
    if inherit is not None and (start := tree["train"]["start"]) is not None:
        brought = [inherit(start)]
        tree = _layered(_defaults(), [*brought, *layers])
    config = msgspec.convert(tree, Config)
    try:
        return _consistent(config, str(path))
    except ConfigError:
        alone = msgspec.convert(_layered(_defaults(), [*brought, given]), Config)
        _consistent(alone, str(path))
        return _consistent(config, "-s" if any(isinstance(each, str) for each in overrides) else "settings")


def override(config: Config, overrides: Iterable[str]) -> Config:
    """Return the configuration with `key=value` settings on top, as in `load`.

    Raises:
        ConfigError: a setting is not valid.
    """
    layers = [layer for setting in overrides for layer in _layers(setting)]
    tree = _layered(_checked(to_tree(config), "the run"), layers)
    return _consistent(msgspec.convert(tree, Config), "-s")


def changed(config: Config, settings: Mapping[str, object], source: str) -> Config:
    """Return the configuration with settings on top, given as Python values.

    Args:
        config: what to change.
        settings: keys and values. A key is dotted, a section with its keys and values, or the last part of a key if
            only one key ends so: {"train.epochs": 3}, {"train": {"epochs": 3}} and {"epochs": 3} are the same.
        source: what the messages of errors call the settings.

    Raises:
        ConfigError: a setting is not valid.
    """
    tree = _layered(_checked(to_tree(config), source), _layers(settings, source))
    return _consistent(msgspec.convert(tree, Config), source)


def checked_value(key: str, value: object, source: str) -> object:
    """Return a value of a key, checked and converted, as plain data.

    Args:
        key: dotted and whole, one of `keys`.
        value: as YAML gives it.
        source: what the messages of errors call the setting.

    Raises:
        ConfigError: the key can't have this value.
    """
    return _plain(reduce(getitem, key.split("."), _checked(_nested(key, value), source)))


def _plain(value: object) -> object:
    """Return a value as YAML could have given it: NumPy's numbers and arrays, paths and mappings are converted."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value.tolist() if hasattr(value, "tolist") else value


def _whole_key(key: str) -> str:
    """Return the dotted key that ends with this one; the key itself if none does, or several do."""
    ending = [each for each in keys() if each.endswith(f".{key}")]
    return ending[0] if len(ending) == 1 and key not in Config.__struct_fields__ else key


def short_key(key: str) -> str:
    """Return the last part of a dotted key; the whole key if others end so too, as in `optimizer.kind`."""
    last = key.rpartition(".")[2]
    return last if _whole_key(last) == key else key


def differences(one: Config, other: Config) -> dict[str, tuple[object, object]]:
    """Return the dotted keys in which two configurations differ, each with its two values."""
    return {key: pair for key in keys() if (pair := (_at(one, key), _at(other, key)))[0] != pair[1]}


def from_tree(tree: object, source: str) -> Config:
    """Return the configuration from plain data, such as that of `to_tree`; missing keys take the default."""
    given = _checked(tree, source)
    if _is_whole(given):  # as in checkpoints of this version: the defaults need not be read
        return _consistent(msgspec.convert(given, Config), source)
    whole = _defaults()
    _merge(whole, given)
    return _consistent(msgspec.convert(whole, Config), source)


def _is_whole(tree: Tree, section: type[Struct] = Config) -> bool:
    """Return whether a checked tree has every key of a section."""
    return all(
        _is_whole(tree.get(field.name, {}), field.type)
        if _is_section(field.type)
        else field.name in tree or not field.required
        for field in _fields(section)
    )


@cache
def _fields(section: type[Struct]) -> tuple[FieldInfo, ...]:
    """Return the fields of a section; msgspec evaluates all annotations each time that it is asked."""
    return msgspec.structs.fields(section)


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Struct)


def to_tree(config: Config) -> Tree:
    """Return the configuration as plain data: dictionaries, lists, strings and numbers."""
    tree: Tree = msgspec.to_builtins(config)
    return tree


def to_yaml(config: Config) -> str:
    """Return the configuration as YAML that `load` reads back."""
    return to_text(to_tree(config))


def to_lines(config: Config) -> dict[str, str]:
    """Return the value of each dotted key as YAML in one line."""
    tree = to_tree(config)
    return {key: to_line(reduce(getitem, key.split("."), tree)) for key in keys()}


def preset_names() -> list[str]:
    """Return the names of the presets that come with bpcli."""
    return resources.preset_names()


def keys(section: type[Struct] = Config, path: str = "") -> list[str]:
    """Return every dotted key of the configuration, or of a section of it."""
    found = []
    for field in _fields(section):
        if _is_section(field.type):
            found += keys(field.type, f"{path}{field.name}.")
        else:
            found.append(f"{path}{field.name}")
    return found


def in_form(key: str, text: str) -> str:
    """Return the text of a value in the form that its key wants: `[100]` for 100 where a list is wanted."""
    return hints.in_brackets(text) or text if isinstance(_at(load(), key), tuple) else text


def find(source: str) -> Path:
    """Return the file of the preset `source`, or the file that `source` names.

    Raises:
        ConfigError: there is neither such a preset nor such a file.
    """
    if source in preset_names():
        return resources.presets() / f"{source}.yaml"
    try:
        if Path(source).is_file():
            return Path(source)
        if Path(source).is_dir():
            raise ConfigError(f"{source!r} is a folder; {_WANTED}")
    except OSError as error:  # such as a name that is too long
        raise ConfigError(f"{source}: can't be read: {error.strerror or error}") from error
    presets = preset_names()
    hint = hints.question(hints.nearest(source, presets))
    raise ConfigError(f"{source!r} is neither a file nor a preset ({', '.join(presets)}){hint}")


_WANTED = "-c wants a preset (see `bpcli config --list`) or a YAML file"


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_LENGTH + 1)
    except OSError as error:
        raise ConfigError(f"{path}: can't be read: {error.strerror or error}") from error
    if b"\0" in content[:_HEAD]:
        raise ConfigError(f"{path}: not a text file; {_WANTED}")
    return content


_HEAD = 1024  # bytes; a picture or a checkpoint has a zero among its first


def _defaults() -> Tree:
    """Return the tree of the defaults; the caller may change it."""
    return deepcopy(_default_tree())


@cache
def _default_tree() -> Tree:
    path = resources.presets() / "default.yaml"
    return _checked(parse_yaml(_content(path), str(path)), str(path))


def _setting(setting: str) -> Tree:
    """Return the tree of one `a.b=value` setting."""
    key, equals, text = setting.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"-s {setting}: expected KEY=VALUE, such as train.epochs=3")
    source = f"-s {setting}"
    return _nested(key.strip(), parse_yaml(text.encode("utf-8", "surrogateescape"), source))


def _nested(key: str, value: object) -> Tree:
    """Return the tree in which a dotted key has a value."""
    *sections, last = key.split(".")
    tree: Tree = {last: value}
    for section in reversed(sections):
        tree = {section: tree}
    return tree


def _layers(settings: Setting, source: str = "settings") -> list[Tree]:
    """Return the checked trees of one `key=value` setting, or of settings as Python values."""
    if isinstance(settings, str):
        return [_checked(_setting(settings), f"-s {settings}")]
    return [_checked(_nested(_whole_key(str(key)), _plain(value)), source) for key, value in settings.items()]


def _layered(tree: Tree, layers: Iterable[Tree]) -> Tree:
    """Return the tree with the layers on top, each over the one before; the tree is changed."""
    for layer in layers:
        _merge(tree, layer)
    return tree


def _at(config: Config, key: str) -> object:
    """Return the value of a dotted key."""
    return attrgetter(key)(config)


def _merge(tree: Tree, changes: Tree) -> None:
    """Put the changes into the tree, section by section."""
    for key, value in changes.items():
        if isinstance(value, dict):
            _merge(tree[key], value)
        else:
            tree[key] = value


def _checked(tree: object, source: str, section: type[Struct] = Config, path: str = "") -> Tree:
    """Return the given keys of a section, each with its value checked and converted."""
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        where = path.removesuffix(".") or "a configuration"
        raise ConfigError(f"{source}: {where} = {_shown(tree)}: expected keys and values{_such_as(tree, path)}")
    fields = {field.name: field.type for field in _fields(section)}
    checked: Tree = {}
    for given, value in tree.items():
        key = _OLD_KEYS.get(f"{path}{given}", given)
        if key in checked:
            raise ConfigError(f"{source}: {path}{given} and {path}{key} are the same key; give one of them")
        if key not in fields:
            raise ConfigError(f"{source}: unknown key {_shown(f'{path}{key}')}{_meant(f'{path}{key}', value)}")
        kind = fields[key]
        if _is_section(kind):
            checked[key] = _checked(value, source, kind, f"{path}{key}.")
        else:
            checked[key] = _value(value, kind, f"{path}{key}", source)
    return checked


def _value(value: object, kind: Any, key: str, source: str) -> object:
    """Return one value, converted to its key's type; refuse one outside its limits and an unknown name."""
    try:
        converted = msgspec.convert(_renamed(_numbers(value, kind), key), kind)
    except msgspec.ValidationError as error:
        wrong = f"{_complaint(str(error))}{_as_list(value, kind)}"
        raise ConfigError(f"{source}: {key} = {_shown(value)}: {wrong}") from None
    if isinstance(converted, float) and not isfinite(converted):
        raise ConfigError(f"{source}: {key} = {_shown(value)}: expected a finite number")
    for name in (converted if isinstance(converted, tuple) else (converted,)) if key in _NAMES else ():
        if name is not None and name not in _NAMES[key]:
            known = ", ".join(_NAMES[key])
            hint = hints.question(hints.nearest_values(key, str(name), _NAMES[key]))
            raise ConfigError(f"{source}: {key} = {_shown(name)}: expected one of {known}{hint}")
    return converted


def _complaint(text: str) -> str:
    """Return what msgspec says of a value, in words of YAML."""
    text = text.replace("`", "").replace("array", "list").replace("Expected bool", "Expected true or false")
    return f"{text[0].lower()}{text[1:]}".partition(" - at")[0]


def _renamed(value: object, key: str) -> object:
    """Return the value, with another name of it replaced by the present one."""
    if key in _MAY_BE_OFF and (value is False or value == "off"):
        return None
    names = _OLD_NAMES.get(key, {})
    return names.get(value, value) if isinstance(value, str) else value


def _numbers(value: object, kind: Any) -> object:
    """Return the value; make it a float if one is expected and YAML 1.2 has one (PyYAML reads 1e-1 as text)."""
    if isinstance(value, str) and kind is not str and "float" in str(kind) and _EXPONENT.fullmatch(value):
        return float(value)
    return value


_EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")


def _consistent(config: Config, source: str) -> Config:
    """Return the configuration; refuse keys that contradict each other."""
    model = config.model
    if len(model.activations) != len(model.hidden):
        raise ConfigError(
            f"{source}: model.activation lists {len(model.activations)} for {len(model.hidden)} hidden layers; "
            "give one for each, or one name for all"
        )
    if (model.output, config.loss) not in OUTPUTS:
        pairs = "; ".join(f"{output} with {loss}" for output, loss in OUTPUTS)
        raise ConfigError(
            f"{source}: model.output = {model.output} doesn't go with loss = {config.loss}; these do: {pairs}"
        )
    if config.optimizer.nesterov and config.optimizer.kind != "momentum":
        raise ConfigError(
            f"{source}: optimizer.nesterov = true wants optimizer.kind = momentum, not {config.optimizer.kind}"
        )
    if config.data.name and config.data.folder:
        raise ConfigError(
            f"{source}: data.name = {config.data.name} and data.folder = {config.data.folder} both name a data set; "
            "set one of them to null"
        )
    if config.data.outliers and model.output != "sigmoid":
        raise ConfigError(
            f"{source}: data.outliers = {config.data.outliers} wants model.output = sigmoid, not {model.output}: "
            "the others' scores can't all be 0"
        )
    if config.train.freeze > len(model.hidden):
        raise ConfigError(
            f"{source}: train.freeze = {config.train.freeze}, but model.hidden = {list(model.hidden)}: expected at "
            f"most {len(model.hidden)}; the output layer is always trained"
        )
    if list(config.schedule.milestones) != sorted(set(config.schedule.milestones)):
        raise ConfigError(f"{source}: schedule.milestones = {list(config.schedule.milestones)}: expected rising epochs")
    return config


def _meant(name: str, value: object) -> str:
    """Return a hint at the keys that an unknown key may mean, or at the section if its value is one."""
    if isinstance(value, dict):
        return hints.question(hints.nearest_sections(name, {key.partition(".")[0] for key in keys() if "." in key}))
    return hints.question(hints.nearest_keys(name, keys()))


def _such_as(value: object, path: str) -> str:
    """Return what a section wants instead of a value: the key that `optimizer = adam` means, or else all its keys."""
    for key, names in _NAMES.items():
        if path and key.startswith(path) and isinstance(value, str) and value in names:
            return hints.question([f"{key}={value}"])
    inside = [key.removeprefix(path) for key in keys() if path and key.startswith(path)]
    return f"; its keys are {', '.join(inside)}" if inside else ", such as seed: 1"


def _as_list(value: object, kind: Any) -> str:
    """Return a hint at the list that a value would be in brackets, if a list is what its key wants."""
    text = hints.in_brackets(str(value)) if isinstance(value, int | str) else ""
    try:
        msgspec.convert(msgspec.json.decode(text or "0"), kind)
    except (msgspec.ValidationError, msgspec.DecodeError):  # such as [007]
        return ""
    return hints.question([text] if text else [])


def _shown(value: object) -> str:
    """Return a value for a message: one line, not too long, control characters escaped."""
    text = value if isinstance(value, str) and value.isprintable() else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
