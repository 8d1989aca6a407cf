using TorchSharp.Modules;
using TorchSharp.Native;
using static TorchSharp.torch;

namespace TorchSharp
{
    public static unsafe partial class torch
    {
        public static partial class optim
        {
            public static Adam Adam(
                IEnumerable<Parameter> parameters, double lr = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8,
                double weight_decay = 0, bool amsgrad = false, bool maximize = false) =>
                new(parameters, lr, beta1, beta2, eps, weight_decay, amsgrad, maximize);

            public static Adam Adam(
                IEnumerable<(string name, Parameter parameter)> parameters, double lr = 1e-3, double beta1 = 0.9, double beta2 = 0.999,
                double eps = 1e-8, double weight_decay = 0, bool amsgrad = false, bool maximize = false) =>
                new(parameters.Select(item => item.parameter), lr, beta1, beta2, eps, weight_decay, amsgrad, maximize);

            public static Adam Adam(
                IEnumerable<Adam.ParamGroup> parameters, double lr = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8,
                double weight_decay = 0, bool amsgrad = false, bool maximize = false) =>
                new(parameters, lr, beta1, beta2, eps, weight_decay, amsgrad, maximize);
        }
    }
}

namespace TorchSharp.Modules
{
    /// <summary>Adam; weight decay is added to the gradient.</summary>
    public class Adam : OptimizerHelper, optim.IBetas
    {
        public Adam(
            IEnumerable<Parameter> parameters, double lr = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8,
            double weight_decay = 0, bool amsgrad = false, bool maximize = false)
            : this([new ParamGroup { Parameters = parameters }], lr, beta1, beta2, eps, weight_decay, amsgrad, maximize)
        {
        }

        public Adam(
            IEnumerable<ParamGroup> parameters, double lr = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8,
            double weight_decay = 0, bool amsgrad = false, bool maximize = false)
        {
            if (lr < 0) throw new ArgumentException($"Invalid learning rate: {lr}");
            if (beta1 is < 0 or >= 1) throw new ArgumentException($"Invalid beta1 value: {beta1}");
            if (beta2 is < 0 or >= 1) throw new ArgumentException($"Invalid beta2 value: {beta2}");
            if (eps < 0) throw new ArgumentException($"Invalid eps value: {eps}");
            if (weight_decay < 0) throw new ArgumentException($"Invalid weight_decay value: {weight_decay}");
            _defaults = new Options
            {
                LearningRate = lr, InitialLearningRate = lr, beta1 = beta1, beta2 = beta2, eps = eps, weight_decay = weight_decay,
                amsgrad = amsgrad, maximize = maximize,
            };
            foreach (var group in parameters) add_param_group(group);
        }

        public (double, double) Betas
        {
            get => (((Options)_defaults!).beta1!.Value, ((Options)_defaults!).beta2!.Value);
            set
            {
                (((Options)_defaults!).beta1, ((Options)_defaults!).beta2) = value;
                foreach (var group in _parameter_groups) ((ParamGroup)group).Betas = value;
            }
        }

        public override void add_param_group(Modules.ParamGroup param_group) =>
            Add((ParamGroup)param_group, parameter => new State(parameter));

        public override Tensor step(Func<Tensor>? closure = null) => Step(closure, group => Update((ParamGroup)group));

        private protected override void Complete(OptimizerOptions options)
        {
            var (own, defaults) = ((Options)options, (Options)_defaults!);
            own.LearningRate ??= defaults.LearningRate;
            own.beta1 ??= defaults.beta1;
            own.beta2 ??= defaults.beta2;
            own.eps ??= defaults.eps;
            own.weight_decay ??= defaults.weight_decay;
            own.amsgrad ??= defaults.amsgrad;
            own.maximize ??= defaults.maximize;
        }

        private void Update(ParamGroup group)
        {
            var options = group.Options!;
            var parameters = group.Parameters as Parameter[] ?? group.Parameters.ToArray();
            var states = Array.ConvertAll(parameters, parameter => (State)_state[parameter.Handle]);
            AdamUpdate.Run(parameters, Array.ConvertAll(states, state => (AdamUpdate.IMoments)state), new AdamUpdate.Settings(
                group.LearningRate, options.beta1!.Value, options.beta2!.Value, options.eps!.Value, options.weight_decay!.Value,
                Decoupled: false, options.amsgrad == true, options.maximize == true));
        }

        public class Options : OptimizerOptions
        {
            public double? beta1;
            public double? beta2;
            public double? weight_decay;
            public double? eps;
            public bool? amsgrad;
            public bool? maximize;

            public override void LoadStateDict(OptimizerOptions source)
            {
                base.LoadStateDict(source);
                var other = (Options)source;
                (beta1, beta2, weight_decay, eps, amsgrad, maximize) =
                    (other.beta1, other.beta2, other.weight_decay, other.eps, other.amsgrad, other.maximize);
            }
        }

        public class ParamGroup : ParamGroup<Options>, optim.IBetas
        {
            public ParamGroup()
            {
            }

            public ParamGroup(IEnumerable<Parameter> parameters, Options options) : base(parameters, options)
            {
            }

            public ParamGroup(
                IEnumerable<Parameter> parameters, double lr = 1.0e-3, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8,
                double weight_decay = 0, bool amsgrad = false, bool maximize = false)
                : base(parameters, new Options
                {
                    LearningRate = lr, beta1 = beta1, beta2 = beta2, eps = eps, weight_decay = weight_decay, amsgrad = amsgrad,
                    maximize = maximize,
                })
            {
            }

            public (double, double) Betas
            {
                get => (Options!.beta1!.Value, Options!.beta2!.Value);
                set => (Options!.beta1, Options!.beta2) = value;
            }
        }

        public sealed class State(Parameter parameter) : OptimizerState(parameter), IDisposable, AdamUpdate.IMoments
        {
            public long step;
            public Tensor? exp_avg;
            public Tensor? exp_avg_sq;
            public Tensor? max_exp_avg_sq;

            ref long AdamUpdate.IMoments.Step => ref step;

            Tensor AdamUpdate.IMoments.Mean => exp_avg!;

            Tensor AdamUpdate.IMoments.Square => exp_avg_sq!;

            Tensor? AdamUpdate.IMoments.Largest => max_exp_avg_sq;

            public override void Initialize(OptimizerOptions options)
            {
                exp_avg = zeros_like(_parameter).DetachFromDisposeScope();
                exp_avg_sq = zeros_like(_parameter).DetachFromDisposeScope();
                if (((Options)options).amsgrad == true) max_exp_avg_sq = zeros_like(_parameter).DetachFromDisposeScope();
            }

            public override void LoadStateDict(OptimizerState source)
            {
                var other = (State)source;
                step = other.step;
                Replace(ref exp_avg, other.exp_avg);
                Replace(ref exp_avg_sq, other.exp_avg_sq);
                Replace(ref max_exp_avg_sq, other.max_exp_avg_sq);
            }

            public override void to(Device device)
            {
                exp_avg = exp_avg?.to(device).DetachFromDisposeScope();
                exp_avg_sq = exp_avg_sq?.to(device).DetachFromDisposeScope();
                max_exp_avg_sq = max_exp_avg_sq?.to(device).DetachFromDisposeScope();
            }

            public void Dispose()
            {
                exp_avg?.Dispose();
                exp_avg_sq?.Dispose();
                max_exp_avg_sq?.Dispose();
            }
        }
    }
}
