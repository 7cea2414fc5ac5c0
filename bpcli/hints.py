"""What a wrong name may mean: the most similar known name, or ours for a name that other tools use.

The tables hold names of scikit-learn, PyTorch, Keras and Nielsen's book, in lower case with underscores. A name whose
last part is that of one of our keys, such as `epochs`, needs no row.
"""

import re
from collections.abc import Collection, Iterable, Mapping

_OURS: Mapping[str, str] = {  # our key: others' names
    "seed": "random_state random_seed rng_seed manual_seed rng",
    "data.folder": "dataset data_dir data_path data_root root path",
    "data.validation": "validation_split validation_fraction validation_size val_split val_size val valid",
    "data.test": "test_split test_fraction test_size test_ratio",
    "data.side": "image_size img_size resize",
    "data.normalize": "normalise normalization normalisation scaler scaling standardize",
    "data.deslant": "deskew",
    "model.hidden": "hidden_layer_sizes hidden_sizes hidden_size hidden_units hidden_layers hidden_dim hidden_dims "
    "units neurons layers layer_sizes sizes",
    "model.activation": "activations act activation_function hidden_activation nonlinearity act_fn",
    "model.output": "output_activation out_activation final_activation",
    "model.init": "initializer kernel_initializer weight_init initialization initialisation init_weights",
    "model.dropout": "dropout_rate dropout_prob drop_prob drop_rate p_dropout",
    "loss": "loss_fn loss_function criterion cost cost_function objective",
    "optimizer.kind": "optim optimiser solver opt algorithm",
    "optimizer.learning_rate": "lr learning_rate_init learningrate eta eta0 rate alpha0 base_lr initial_lr",
    "optimizer.momentum": "mu",
    "optimizer.nesterov": "nesterovs_momentum use_nesterov",
    "optimizer.beta1": "beta_1 betas",
    "optimizer.beta2": "beta_2",
    "optimizer.epsilon": "eps",
    "optimizer.weight_decay": "l2 alpha lmbda lambda lam wd reg l2_reg l2_lambda l2_penalty regularization "
    "regularisation weightdecay",
    "schedule.kind": "scheduler lr_scheduler lr_schedule",
    "schedule.milestones": "decay_epochs lr_steps lr_step step_size",
    "schedule.factor": "gamma lr_decay decay_rate lr_gamma learning_rate_decay",
    "schedule.warmup": "warmup_epochs warm_up lr_warmup",
    "augment.rotation": "rotate rotation_range degrees angle",
    "augment.scale": "zoom zoom_range",
    "augment.shear": "shear_range",
    "augment.shift": "translate translation width_shift_range height_shift_range",
    "augment.elastic_alpha": "elastic",
    "train.epochs": "epoch num_epochs n_epochs max_epochs nb_epoch max_iter n_iter",
    "train.batch_size": "batch batchsize bs mini_batch_size minibatch_size batch_sz",
    "train.patience": "early_stopping early_stop n_iter_no_change",
    "train.threads": "n_jobs num_workers workers n_workers num_threads n_threads jobs cpus cores",
    "train.checkpoint_minutes": "save_every checkpoint_every",
    "train.start": "from init_from start_from finetune fine_tune finetune_from pretrained warm_start weights",
    "train.freeze": "frozen freeze_layers frozen_layers freeze_backbone",
}

KEYS: Mapping[str, str] = {name: key for key, names in _OURS.items() for name in names.split()}

SECTIONS: Mapping[str, str] = {
    "optim": "optimizer", "optimiser": "optimizer", "training": "train", "network": "model", "net": "model",
    "dataset": "data", "augmentation": "augment", "augmentations": "augment", "scheduler": "schedule",
    "lr_scheduler": "schedule", "trainer": "train",
}  # fmt: skip

VALUES: Mapping[str, Mapping[str, str]] = {
    "optimizer.kind": {"sgd": "momentum", "nesterov": "momentum"},
    "loss": {
        "mse": "quadratic", "mean_squared_error": "quadratic", "l2": "quadratic", "bce": "binary_cross_entropy",
        "bcewithlogitsloss": "binary_cross_entropy", "binary_crossentropy": "binary_cross_entropy",
        "categorical_crossentropy": "cross_entropy", "sparse_categorical_crossentropy": "cross_entropy",
        "crossentropyloss": "cross_entropy", "nll": "cross_entropy", "log_loss": "cross_entropy",
    },
    "model.activation": {"logistic": "sigmoid", "linear": "identity", "none": "identity", "leakyrelu": "leaky_relu"},
    "model.output": {"logistic": "sigmoid", "linear": "identity", "none": "identity"},
    "model.init": {
        "xavier": "glorot", "glorot_uniform": "glorot", "glorot_normal": "glorot", "he_normal": "he",
        "he_uniform": "he", "kaiming_normal": "he", "kaiming_uniform": "he",
    },
    "data.normalize": {"zscore": "standard", "z_score": "standard", "minmax": "unit"},
}  # fmt: skip

OPTIONS: Mapping[str, str] = {  # of a command line, without dashes; a hint where the command has ours
    "preset": "--config", "cfg": "--config", "conf": "--config", "yaml": "--config",
    "override": "--set", "param": "--set", "opt": "--set",
    "output": "--out", "output_dir": "--out", "out_dir": "--out", "outdir": "--out", "save": "--out", "dir": "--out",
    "weights": "--model", "checkpoint": "--model", "ckpt": "--model", "network": "--model", "load": "--model",
    "finetune": "--from", "fine_tune": "--from", "start": "--from", "init_from": "--from", "pretrained": "--from",
    "continue": "--resume", "restore": "--resume", "verbose": "--show", "silent": "--quiet",
    "grid": "--vary", "sweep": "--vary", "multirun": "--vary",
    "overwrite": "--force", "browser": "--open", "view": "--open", "presets": "--list", "threshold": "--min-score",
}  # fmt: skip

COMMANDS: Mapping[str, str] = {
    "fit": "train", "learn": "train", "run": "train", "resume": "train --resume",
    "eval": "evaluate", "test": "evaluate", "score": "evaluate", "validate": "evaluate",
    "classify": "predict", "infer": "predict", "inference": "predict", "recognize": "predict", "read": "predict",
    "gradcheck": "check", "verify": "check", "graph": "explain", "derive": "explain",
    "plot": "report", "show": "report", "curves": "report", "compare": "report", "paint": "draw", "sketch": "draw",
    "convert": "export", "save": "export", "onnx": "export", "quantize": "export --quantize int8",
    "distort": "augment", "augmentation": "augment", "presets": "config --list", "configuration": "config",
    "download": "data fetch", "fetch": "data fetch", "dataset": "data list", "datasets": "data list",
    "list": "runs", "ls": "runs", "history": "runs", "help": "--help", "version": "--version",
}  # fmt: skip


def question(names: Collection[str]) -> str:
    """Return the end of a message that asks whether one of these was meant; "" if there are none."""
    return f"; did you mean {' or '.join(names)}?" if names else ""


def nearest_keys(name: str, keys: Collection[str]) -> list[str]:
    """Return the keys that an unknown one may mean, or the most similar one."""
    return meant_keys(name, keys) or _similar(name, keys)


def meant_keys(name: str, keys: Collection[str]) -> list[str]:
    """Return the keys that end so; or ours of a name that other tools use, such as optimizer.learning_rate for `lr`."""
    ours = KEYS.get(plain(name))
    return _same_last(name, keys) or [key for key in keys if key == ours]


def nearest_sections(name: str, sections: Collection[str]) -> list[str]:
    """Return the section that an unknown one may mean, if there is one."""
    ours = SECTIONS.get(plain(name))
    return [ours] if ours else _nearest(name, sections)


def nearest_values(key: str, name: str, known: Collection[str]) -> list[str]:
    """Return the name that an unknown one may mean as the value of a key, if there is one."""
    ours = VALUES.get(key, {}).get(plain(name))
    return [ours] if ours else nearest(name, known)


def nearest(name: str, known: Collection[str]) -> list[str]:
    """Return the known names that are most similar to this one: whole, or in the part after the last dot."""
    return _same_last(name, known) or _similar(name, known)


def nearest_options(name: str, known: Collection[str]) -> list[str]:
    """Return the option that an unknown one may mean, if there is one; all with their dashes."""
    bare = {option.lstrip("-"): option for option in known}
    return [bare[each] for each in _nearest(name.lstrip("-"), bare)]


def plain(name: str) -> str:
    """Return a name in the form of the tables: the last part of a key, without dashes in front, in lower case."""
    return name.lstrip("-").rpartition(".")[2].lower().replace("-", "_")


def in_brackets(text: str) -> str:
    """Return `[300, 100]` for numbers such as `300,100`, `300 100`, `(300, 100)` or `300-100`; "" for anything else."""
    return f"[{', '.join(_NUMBER.findall(text))}]" if _NUMBERS.fullmatch(text) else ""


_NUMBER = re.compile(r"[0-9]{1,9}")
_NUMBERS = re.compile(r"[(\[]? *[0-9]{1,9}(?:[ ,x-]+[0-9]{1,9}){0,31} *,? *[)\]]?")


def _same_last(name: str, known: Iterable[str]) -> list[str]:
    """Return the known names whose last part is this one's."""
    return [each for each in known if each.rpartition(".")[2] == plain(name)]


def _similar(name: str, known: Collection[str]) -> list[str]:
    """Return the known name that is most similar to this one as a whole, or else in its last part, if there is one."""
    by_last = {each.rpartition(".")[2]: each for each in known}
    last = [by_last[each] for each in _nearest(name.rpartition(".")[2], by_last)]
    return _nearest(name, known) or last


def _nearest(name: str, known: Iterable[str]) -> list[str]:
    """Return the known name that is most similar, if one is similar at all."""
    from difflib import get_close_matches  # for a mistake only

    return get_close_matches(name, known, n=1)
