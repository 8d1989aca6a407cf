using System.Reflection;
using TorchSharp.Modules;
using TorchSharp.Native;
using TorchSharp.Utils;

namespace TorchSharp;

public static unsafe partial class torch
{
    public static partial class nn
    {
        /// <summary>The base of networks and their parts: parameters, buffers and submodules under names.</summary>
        public partial class Module : IDisposable
        {
            protected internal OrderedDict<string, Module> _internal_submodules = [];
            protected internal OrderedDict<string, (Tensor buffer, bool persist)> _internal_buffers = [];
            protected internal OrderedDict<string, Parameter> _internal_params = [];
            protected string name;

            private bool _areComponentsRegistered;
            private bool _training = true;
            private bool _disposed;

            protected Module(string name)
            {
                NativeMethods.Initialize();
                this.name = name;
            }

            ~Module() => Dispose(false);

            public virtual bool training => _training;

            public virtual string GetName() => name;

            public void Dispose()
            {
                Dispose(true);
                GC.SuppressFinalize(this);
            }

            protected virtual void Dispose(bool disposing)
            {
                if (!disposing || _disposed) return;
                _disposed = true;
                foreach (var (_, (buffer, _)) in _internal_buffers) buffer.Dispose();
                foreach (var (_, parameter) in _internal_params) parameter.Dispose();
                foreach (var (_, module) in _internal_submodules) module.Dispose();
            }

            public virtual Module apply(Action<Module> fn)
            {
                foreach (var (_, module) in _internal_submodules) module.apply(fn);
                fn(this);
                return this;
            }

            public virtual void train(bool train = true)
            {
                _training = train;
                foreach (var (_, module) in named_children()) module.train(train);
            }

            public virtual void eval() => train(false);

            public virtual void zero_grad(bool set_to_none = true)
            {
                foreach (var (_, parameter) in named_parameters())
                {
                    if (set_to_none)
                    {
                        parameter.ClearGrad();
                        continue;
                    }
                    using var grad = parameter.grad;
                    if (grad is not null) grad.detach_().zero_();
                }
            }

            // ---- what it holds

            public virtual IEnumerable<(string name, Tensor buffer)> named_buffers(bool recurse = true, bool include_nonpersistent = true)
            {
                var seen = new HashSet<nint>();
                foreach (var (key, (buffer, persist)) in _internal_buffers)
                {
                    if (!buffer.IsInvalid && (persist || include_nonpersistent) && seen.Add(buffer.Handle)) yield return (key, buffer);
                }
                if (!recurse) yield break;
                foreach (var (prefix, module) in _internal_submodules)
                {
                    foreach (var (key, buffer) in module.named_buffers(true, include_nonpersistent))
                    {
                        if (seen.Add(buffer.Handle)) yield return (prefix + "." + key, buffer);
                    }
                }
            }

            public virtual IEnumerable<Tensor> buffers(bool recurse = true, bool include_nonpersistent = true)
            {
                foreach (var (_, buffer) in named_buffers(recurse, include_nonpersistent)) yield return buffer;
            }

            public virtual IEnumerable<(string name, Parameter parameter)> named_parameters(bool recurse = true)
            {
                var seen = new HashSet<nint>();
                foreach (var (key, parameter) in _internal_params)
                {
                    if (!parameter.IsInvalid && seen.Add(parameter.Handle)) yield return (key, parameter);
                }
                if (!recurse) yield break;
                foreach (var (prefix, module) in _internal_submodules)
                {
                    foreach (var (key, parameter) in module.named_parameters(true))
                    {
                        if (seen.Add(parameter.Handle)) yield return (prefix + "." + key, parameter);
                    }
                }
            }

            public virtual IEnumerable<Parameter> parameters(bool recurse = true)
            {
                foreach (var (_, parameter) in named_parameters(recurse)) yield return parameter;
            }

            public virtual IEnumerable<(string name, Module module)> named_children() => _internal_submodules;

            public virtual IEnumerable<(string name, Module module)> named_modules()
            {
                foreach (var (key, module) in _internal_submodules) yield return (key, module);
                foreach (var (prefix, module) in _internal_submodules)
                {
                    foreach (var (key, inner) in module.named_modules()) yield return (prefix + "." + key, inner);
                }
            }

            public virtual IEnumerable<Module> modules()
            {
                foreach (var (_, module) in named_modules()) yield return module;
            }

            public virtual IEnumerable<Module> children()
            {
                foreach (var (_, module) in named_children()) yield return module;
            }

            public virtual bool has_buffer(string target) =>
                Find(target, (module, key) => module._internal_buffers.ContainsKey(key) ? module : null) is not null;

            public virtual bool has_parameter(string target) =>
                Find(target, (module, key) => module._internal_params.ContainsKey(key) ? module : null) is not null;

            public virtual Tensor? get_buffer(string target) =>
                Find(target, (module, key) => module._internal_buffers.TryGetValue(key, out var found) ? found.buffer : null);

            public virtual Parameter? get_parameter(string target) =>
                Find(target, (module, key) => module._internal_params.TryGetValue(key, out var found) ? found : null);

            private T? Find<T>(string target, Func<Module, string, T?> look) where T : class
            {
                if (look(this, target) is { } found) return found;
                var dot = target.IndexOf('.', StringComparison.Ordinal);
                return dot > 0 && _internal_submodules.TryGetValue(target[..dot], out var child) ? child.Find(target[(dot + 1)..], look)
                    : null;
            }

            // ---- registration

            public virtual void register_buffer(string name, Tensor tensor, bool persistent = true)
            {
                if (tensor is null || tensor.IsInvalid)
                {
                    throw new ArgumentNullException(nameof(tensor), "A null tensor cannot be registered as a buffer.");
                }
                if (_internal_buffers.ContainsKey(name)) throw new InvalidOperationException($"Tensor {name} is already registered.");
                _internal_buffers.Add(name, (tensor, persistent));
            }

            public virtual void register_parameter(string name, Parameter param)
            {
                if (param is null || param.IsInvalid)
                {
                    throw new ArgumentNullException(nameof(param), "A null tensor cannot be registered as a parameter.");
                }
                if (_internal_params.ContainsKey(name)) throw new InvalidOperationException($"Parameter {name} is already registered.");
                _internal_params.Add(name, param);
            }

            public void add_module(string name, Module module) => register_module(name, module);

            public virtual void register_module(string name, Module submodule)
            {
                if (submodule is null)
                {
                    _internal_submodules.Remove(name);
                    return;
                }
                if (name.Contains('.')) throw new ArgumentException($"module name can't contain \".\", got: {name}");
                if (string.IsNullOrEmpty(name)) throw new ArgumentException("module name can't be empty string \"\"");
                if (_internal_submodules.ContainsKey(name))
                {
                    throw new InvalidOperationException($"Sub-module {name} is already registered.");
                }
                submodule.RegisterComponents();
                _internal_submodules.Add(name, submodule);
            }

            protected void ConditionallyRegisterParameter(string name, Tensor? value)
            {
                if (value is null) _internal_params.Remove(name);
                else _internal_params[name] = value as Parameter ?? new Parameter(value, requires_grad: true);
            }

            protected void ConditionallyRegisterBuffer(string name, Tensor? value, bool persistent = true)
            {
                if (value is null) _internal_buffers.Remove(name);
                else _internal_buffers[name] = (value, persistent);
            }

            /// <summary>Registers the modules, parameters and tensors that the fields hold, in the order of the fields.</summary>
            protected virtual void RegisterComponents()
            {
                if (_areComponentsRegistered) return;
                foreach (var field in Fields())
                {
                    var key = field.ComponentName();
                    if (_internal_submodules.ContainsKey(key) || _internal_params.ContainsKey(key)
                        || _internal_buffers.ContainsKey(key)) continue;
                    switch (field.GetValue(this))
                    {
                        case Module module: register_module(key, module); break;
                        case Parameter parameter: register_parameter(key, parameter); break;
                        case Tensor tensor: register_buffer(key, tensor); break;
                        default: break;
                    }
                }
                _areComponentsRegistered = true;
            }

            protected void ClearModules() => _internal_submodules.Clear();

            protected static (Device device, ScalarType dtype) GetDefaultDeviceAndType(Device? device = null, ScalarType? dtype = null) =>
                (device ?? get_default_device(), dtype ?? get_default_dtype());

            private FieldInfo[] Fields() => GetType().GetFields(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance);
        }
    }
}
