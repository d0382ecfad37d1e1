"""Records the outputs of modules of a PyTorch model; needs record_numpy.py. See docs/your-network.md."""

import torch
from record_numpy import append_activations, open_activations, write_samples, write_splits


class Recorder:
    def __init__(self, root, run, model, names, x, y, is_train=None, reductions={}, batch=256):
        self.root, self.run, self.model, self.x, self.batch = root, f"r{run:04}", model, x, batch
        self.modules = {name: model.get_submodule(name) for name in names}
        self.reductions, self.files = reductions, {}
        write_samples(root, x.flatten(1).cpu().numpy(), y.cpu().numpy())
        if is_train is not None:
            write_splits(root, self.run, is_train)

    @torch.no_grad()
    def snapshot(self, epoch, step):
        modes, seen = {m: m.training for m in self.model.modules()}, {name: [] for name in self.modules}
        # A copy, because the next module may be an in-place ReLU.
        record = lambda name: lambda module, inputs, output: seen[name].append(output.clone())
        hooks = [module.register_forward_hook(record(name)) for name, module in self.modules.items()]
        self.model.eval()
        for inputs in self.x.split(self.batch):
            self.model(inputs.to(next(self.model.parameters()).device))
        for module, mode in modes.items():
            module.training = mode
        for hook in hooks:
            hook.remove()
        for layer, name in enumerate(self.modules, start=1):
            t, (words, reduce) = torch.cat(seen[name]), self.reductions.get(name, ("none", torch.Tensor.float))
            kind, shape = type(self.modules[name]).__name__, "x".join(map(str, t.shape[1:]))
            t = reduce(t).flatten(1).float().cpu().numpy()
            if name not in self.files:
                about = dict(layer_name=name, layer_kind=kind, layer_shape=shape, layer_reduction=words)
                self.files[name] = open_activations(self.root, self.run, layer, t.shape[1], **about)
            append_activations(self.files[name], epoch, step, t)

    def close(self):
        for file in self.files.values():
            file.close()
