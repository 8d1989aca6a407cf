using TorchSharp.Modules;
using TorchSharp.Utils;

namespace TorchSharp
{
    public static unsafe partial class torch
    {
        public static partial class nn
        {
            public partial class Module
            {
                // ---- state

                public virtual Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor>? destination = null, string? prefix = null)
                {
                    destination ??= [];
                    foreach (var (key, parameter) in named_parameters()) destination.TryAdd(Key(prefix, key), parameter);
                    foreach (var (key, buffer) in named_buffers(include_nonpersistent: false)) destination.TryAdd(Key(prefix, key), buffer);
                    foreach (var (key, module) in _internal_submodules) module.state_dict(destination, Key(prefix, key));
                    return destination;
                }

                public virtual (IList<string> missing_keys, IList<string> unexpected_keyes) load_state_dict(
                    Dictionary<string, Tensor> source, bool strict = true, IList<string>? skip = null)
                {
                    skip ??= [];
                    var destination = state_dict();
                    var unexpected = source.Keys.Where(key => !skip.Contains(key) && !destination.ContainsKey(key)).ToList();
                    var missing = destination.Keys.Where(key => !skip.Contains(key) && !source.ContainsKey(key)).ToList();
                    if (strict && (missing.Count > 0 || unexpected.Count > 0))
                    {
                        throw new InvalidOperationException("The loaded state_dict is not identical to the target dictionary.");
                    }
                    using var _ = no_grad();
                    foreach (var (key, tensor) in source)
                    {
                        if (!skip.Contains(key) && destination.TryGetValue(key, out var target)) target.copy_(tensor);
                    }
                    return (missing, unexpected);
                }

                private static string Key(string? prefix, string name) => string.IsNullOrEmpty(prefix) ? name : prefix + "." + name;

                // ---- moving and converting: parameters and buffers are replaced, in the fields that hold them too

                protected internal virtual Module _to(Device device, ScalarType dtype, bool non_blocking)
                {
                    CheckDevice(device.type);
                    _toEpilog(device, dtype, non_blocking);
                    return this;
                }

                protected internal virtual Module _to(DeviceType deviceType, int deviceIndex, bool non_blocking)
                {
                    CheckDevice(deviceType);
                    _toEpilog(deviceType, deviceIndex, non_blocking);
                    return this;
                }

                protected internal virtual Module _to(ScalarType dtype, bool non_blocking)
                {
                    _toEpilog(dtype, non_blocking);
                    return this;
                }

                public Module _to(Tensor other, bool non_blocking)
                {
                    _to(other.dtype, non_blocking);
                    return _to(other.device_type, other.device_index, non_blocking);
                }

                protected void _toEpilog(Device device, ScalarType dtype, bool non_blocking)
                {
                    foreach (var (_, module) in named_children()) module._to(device, dtype, non_blocking);
                    Replace(device, dtype, non_blocking);
                }

                protected void _toEpilog(DeviceType deviceType, int deviceIndex, bool non_blocking)
                {
                    foreach (var (_, module) in named_children()) module._to(deviceType, deviceIndex, non_blocking);
                    Replace(new Device(deviceType, deviceIndex), null, non_blocking);
                }

                protected void _toEpilog(ScalarType dtype, bool non_blocking)
                {
                    foreach (var (_, module) in named_children()) module._to(dtype, non_blocking);
                    Replace(null, dtype, non_blocking);
                }

                private static void CheckDevice(DeviceType type)
                {
                    if (type == DeviceType.CUDA && !cuda.is_available()) throw new InvalidOperationException("CUDA is not available.");
                    InitializeDeviceType(type);
                }

                // As in the original, dtype converts what is learnt and floating buffers; whole-number and Boolean buffers keep theirs.
                private void Replace(Device? device, ScalarType? dtype, bool non_blocking)
                {
                    var replaced = new Dictionary<Tensor, Tensor>(ReferenceEqualityComparer.Instance);
                    foreach (var (key, parameter) in _internal_params.ToArray<(string, Parameter)>())
                    {
                        if (Converted(parameter, device, dtype, non_blocking) is not { } tensor) continue;
                        using (tensor)
                        {
                            var fresh = new Parameter(tensor, parameter.requires_grad);
                            using var grad = parameter.grad;
                            if (grad is not null) fresh.grad = Converted(grad, device, dtype, non_blocking) ?? grad;
                            _internal_params[key] = fresh;
                            replaced[parameter] = fresh;
                        }
                    }
                    foreach (var (key, (buffer, persist)) in _internal_buffers.ToArray<(string, (Tensor, bool))>())
                    {
                        if (Converted(buffer, device, buffer.is_floating_point() ? dtype : null, non_blocking) is not { } tensor) continue;
                        _internal_buffers[key] = (tensor, persist);
                        replaced[buffer] = tensor;
                    }
                    if (replaced.Count == 0) return;
                    foreach (var field in Fields())
                    {
                        if (field.GetValue(this) is Tensor old && replaced.TryGetValue(old, out var fresh)) field.SetValue(this, fresh);
                    }
                    foreach (var (old, fresh) in replaced)
                    {
                        fresh.MoveToOtherDisposeScope(old.OwningDisposeScope);
                        if (old.OwningDisposeScope is null) fresh.DetachFromDisposeScope();
                        old.Dispose();
                    }
                }

                private static Tensor? Converted(Tensor tensor, Device? device, ScalarType? dtype, bool non_blocking)
                {
                    var sameDevice = device is null
                        || (tensor.device_type == device.type && (device.type != DeviceType.CUDA || tensor.device_index == device.index));
                    var sameType = dtype is null || tensor.dtype == dtype;
                    if (sameDevice && sameType) return null;
                    using var _ = no_grad();
                    return tensor.to(dtype ?? tensor.dtype, device ?? tensor.device, non_blocking: non_blocking);
                }
            }
        }
    }

    public static class ModuleExtensionMethods
    {
        public static T cpu<T>(this T module, bool non_blocking = false) where T : torch.nn.Module =>
            (T)module._to(DeviceType.CPU, -1, non_blocking);

        public static T cuda<T>(this T module, int deviceIndex = -1, bool non_blocking = false) where T : torch.nn.Module =>
            (T)module._to(DeviceType.CUDA, deviceIndex, non_blocking);

        public static T to<T>(this T module, torch.Device device, bool non_blocking = false) where T : torch.nn.Module =>
            (T)module._to(device.type, device.index, non_blocking);

        public static T to<T>(this T module, torch.Device device, torch.ScalarType type, bool non_blocking = false)
            where T : torch.nn.Module =>
            (T)module._to(device, type, non_blocking);

        public static T to<T>(this T module, torch.ScalarType type, bool non_blocking = false) where T : torch.nn.Module =>
            (T)module._to(type, non_blocking);

        public static T to<T>(this T module, DeviceType deviceType, int deviceIndex = -1, bool non_blocking = false)
            where T : torch.nn.Module =>
            (T)module._to(deviceType, deviceIndex, non_blocking);

        public static T to<T>(this T module, torch.Tensor other, bool non_blocking = false) where T : torch.nn.Module =>
            (T)module._to(other, non_blocking);

        public static T half<T>(this T module, bool non_blocking = false) where T : torch.nn.Module =>
            (T)module._to(torch.ScalarType.Float16, non_blocking);

        public static T bfloat16<T>(this T module, bool non_blocking = false) where T : torch.nn.Module =>
            (T)module._to(torch.ScalarType.BFloat16, non_blocking);

        public static T @float<T>(this T module, bool non_blocking = false) where T : torch.nn.Module =>
            (T)module._to(torch.ScalarType.Float32, non_blocking);

        public static T @double<T>(this T module, bool non_blocking = false) where T : torch.nn.Module =>
            (T)module._to(torch.ScalarType.Float64, non_blocking);
    }
}
