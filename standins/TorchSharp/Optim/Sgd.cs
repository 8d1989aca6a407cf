using TorchSharp.Modules;
using TorchSharp.Native;
using static TorchSharp.torch;

namespace TorchSharp
{
    public static unsafe partial class torch
    {
        public static partial class optim
        {
            public static SGD SGD(
                IEnumerable<Parameter> parameters, double learningRate, double momentum = 0, double dampening = 0, double weight_decay = 0,
                bool nesterov = false, bool maximize = false) =>
                new(parameters, learningRate, momentum, dampening, weight_decay, nesterov, maximize);

            public static SGD SGD(
                IEnumerable<(string name, Parameter parameter)> parameters, double learningRate, double momentum = 0, double dampening = 0,
                double weight_decay = 0, bool nesterov = false, bool maximize = false) =>
                new(parameters.Select(item => item.parameter), learningRate, momentum, dampening, weight_decay, nesterov, maximize);

            public static SGD SGD(
                IEnumerable<SGD.ParamGroup> parameters, double learningRate, double momentum = 0.0, double dampening = 0,
                double weight_decay = 0,
                bool nesterov = false, bool maximize = false) =>
                new(parameters, learningRate, momentum, dampening, weight_decay, nesterov, maximize);
        }
    }
}

namespace TorchSharp.Modules
{
    /// <summary>Stochastic gradient descent, with momentum.</summary>
    public class SGD : OptimizerHelper, optim.IMomentum
    {
        public SGD(
            IEnumerable<Parameter> parameters, double lr, double momentum = 0, double dampening = 0, double weight_decay = 0,
            bool nesterov = false,
            bool maximize = false)
            : this([new ParamGroup { Parameters = parameters }], lr, momentum, dampening, weight_decay, nesterov, maximize)
        {
        }

        public SGD(
            IEnumerable<ParamGroup> parameters, double lr, double momentum = 0.0, double dampening = 0, double weight_decay = 0,
            bool nesterov = false,
            bool maximize = false)
        {
            if (lr < 0.0) throw new ArgumentException($"Invalid learning rate: {lr}");
            if (momentum < 0.0) throw new ArgumentException($"Invalid momentum value: {momentum}");
            if (dampening < 0.0) throw new ArgumentException($"Invalid dampening value: {dampening}");
            if (weight_decay < 0.0) throw new ArgumentException($"Invalid weight_decay value: {weight_decay}");
            if (nesterov && (momentum <= 0 || dampening != 0))
            {
                throw new ArgumentException("Nesterov momentum requires a momentum and zero dampening");
            }
            _defaults = new Options
            {
                LearningRate = lr, InitialLearningRate = lr, momentum = momentum, dampening = dampening, weight_decay = weight_decay,
                nesterov = nesterov, maximize = maximize,
            };
            foreach (var group in parameters) add_param_group(group);
        }

        public double Momentum
        {
            get => ((Options)_defaults!).momentum!.Value;
            set
            {
                ((Options)_defaults!).momentum = value;
                foreach (var group in _parameter_groups) ((ParamGroup)group).Momentum = value;
            }
        }

        public override void add_param_group(Modules.ParamGroup param_group) =>
            Add((ParamGroup)param_group, parameter => new State(parameter));

        public override Tensor step(Func<Tensor>? closure = null) => Step(closure, group => Update((ParamGroup)group));

        private protected override void Complete(OptimizerOptions options)
        {
            var (own, defaults) = ((Options)options, (Options)_defaults!);
            own.LearningRate ??= defaults.LearningRate;
            own.momentum ??= defaults.momentum;
            own.dampening ??= defaults.dampening;
            own.weight_decay ??= defaults.weight_decay;
            own.nesterov ??= defaults.nesterov;
            own.maximize ??= defaults.maximize;
        }

        private void Update(ParamGroup group)
        {
            var options = group.Options!;
            var (parameters, gradients) = WithGrads(group);
            if (parameters.Count == 0) return;
            Tensor[] values = [.. parameters], grads = [.. gradients];
            if (options.maximize == true) grads = Ops._foreach_neg.CallList(grads);
            if (options.weight_decay is > 0 and { } decay) grads = Ops._foreach_add_List.CallList(grads, values, decay);
            if (options.momentum is > 0 and { } momentum) grads = WithMomentum(parameters, grads, momentum, options);
            Ops._foreach_add__List.Run(values, grads, -group.LearningRate);
        }

        private Tensor[] WithMomentum(List<Parameter> parameters, Tensor[] grads, double momentum, Options options)
        {
            var (buffers, fresh, older, olderGrads) = (new Tensor[grads.Length], 0, new List<Tensor>(), new List<Tensor>());
            for (var k = 0; k < grads.Length; k++)
            {
                var state = (State)_state[parameters[k].Handle];
                if (state.momentum_buffer is null)
                {
                    state.momentum_buffer = grads[k].clone().DetachFromDisposeScope();
                    fresh++;
                }
                else
                {
                    older.Add(state.momentum_buffer);
                    olderGrads.Add(grads[k]);
                }
                buffers[k] = state.momentum_buffer;
            }
            if (older.Count > 0)
            {
                Tensor[] list = [.. older];
                Ops._foreach_mul__Scalar.Run(list, momentum);
                Ops._foreach_add__List.Run(list, olderGrads.ToArray(), 1 - options.dampening!.Value);
            }
            return options.nesterov == true ? Ops._foreach_add_List.CallList(grads, buffers, momentum) : buffers;
        }

        public class Options : OptimizerOptions
        {
            public double? momentum;
            public double? dampening;
            public double? weight_decay;
            public bool? nesterov;
            public bool? maximize;

            public override void LoadStateDict(OptimizerOptions source)
            {
                base.LoadStateDict(source);
                var other = (Options)source;
                (momentum, dampening, weight_decay, nesterov, maximize) =
                    (other.momentum, other.dampening, other.weight_decay, other.nesterov, other.maximize);
            }
        }

        public class ParamGroup : ParamGroup<Options>, optim.IMomentum
        {
            public ParamGroup()
            {
            }

            public ParamGroup(IEnumerable<Parameter> parameters, Options options) : base(parameters, options)
            {
            }

            public ParamGroup(
                IEnumerable<Parameter> parameters, double lr = 1.0e-3, double momentum = 0.0, double dampening = 0, double weight_decay = 0,
                bool nesterov = false, bool maximize = false)
                : base(parameters, new Options
                {
                    LearningRate = lr, momentum = momentum, dampening = dampening, weight_decay = weight_decay, nesterov = nesterov,
                    maximize = maximize,
                })
            {
            }

            public double Momentum
            {
                get => Options!.momentum!.Value;
                set => Options!.momentum = value;
            }
        }

        public sealed class State(Parameter parameter) : OptimizerState(parameter), IDisposable
        {
            public Tensor? momentum_buffer;

            public override void Initialize(OptimizerOptions options)
            {
            }

            public override void LoadStateDict(OptimizerState source) => Replace(ref momentum_buffer, ((State)source).momentum_buffer);

            public override void to(Device device) => momentum_buffer = momentum_buffer?.to(device).DetachFromDisposeScope();

            public void Dispose() => momentum_buffer?.Dispose();
        }
    }
}
