using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch.optim;

namespace TorchSharp
{
    public static unsafe partial class torch
    {
        public static partial class optim
        {
            public interface ILearningRateController
            {
                double LearningRate { get; set; }

                double InitialLearningRate { get; set; }
            }

            public interface IBetas
            {
                (double, double) Betas { get; set; }
            }

            public interface IMomentum
            {
                double Momentum { get; set; }
            }

            /// <summary>Changes parameters by their gradients.</summary>
            public abstract class Optimizer : IDisposable
            {
                protected internal IList<ParamGroup> _parameter_groups = [];

                private protected Optimizer()
                {
                }

                public virtual IEnumerable<ILearningRateController> ParamGroups => _parameter_groups;

                public virtual IEnumerable<Parameter> parameters()
                {
                    foreach (var group in _parameter_groups)
                    {
                        foreach (var parameter in group.Parameters) yield return parameter;
                    }
                }

                public virtual void zero_grad()
                {
                    foreach (var group in _parameter_groups)
                    {
                        foreach (var parameter in group.Parameters) parameter.ClearGrad();
                    }
                }

                public abstract Tensor step(Func<Tensor>? closure = null);

                public virtual void add_param_group(ParamGroup param_group) => _parameter_groups.Add(param_group);

                public void Dispose()
                {
                    Dispose(true);
                    GC.SuppressFinalize(this);
                }

                protected virtual void Dispose(bool disposing)
                {
                }

                /// <summary>What an optimizer remembers: the settings of its groups, the state of each parameter.</summary>
                public class StateDictionary
                {
                    internal StateDictionary()
                    {
                    }

                    public List<OptimizerOptions> Options { get; } = [];

                    public List<OptimizerState> State { get; } = [];

                    public List<List<int>> StateIndexRef { get; } = [];
                }
            }
        }
    }
}

namespace TorchSharp.Modules
{
    public class OptimizerOptions
    {
        public double? LearningRate { get; set; }

        public double InitialLearningRate { get; set; }

        public virtual void LoadStateDict(OptimizerOptions source)
        {
            LearningRate = source.LearningRate;
            InitialLearningRate = source.InitialLearningRate;
        }
    }

    public abstract class OptimizerState
    {
        protected internal Parameter _parameter;

        protected OptimizerState(Parameter parameter) => _parameter = parameter;

        public abstract void Initialize(OptimizerOptions options);

        public abstract void LoadStateDict(OptimizerState source);

        public abstract void to(torch.Device device);

        private protected static void Replace(ref torch.Tensor? target, torch.Tensor? source)
        {
            if (ReferenceEquals(target, source)) return;
            target?.Dispose();
            target = source?.clone().DetachFromDisposeScope();
        }
    }

    public class ParamGroup : ILearningRateController
    {
        public IEnumerable<Parameter> Parameters { get; set; } = [];

        public OptimizerOptions? Options { get; set; }

        public double LearningRate
        {
            get => Options!.LearningRate!.Value;
            set => Options!.LearningRate = value;
        }

        public double InitialLearningRate
        {
            get => Options!.InitialLearningRate;
            set => Options!.InitialLearningRate = value;
        }
    }

    public class ParamGroup<TOptions> : ParamGroup where TOptions : OptimizerOptions
    {
        public ParamGroup()
        {
        }

        public ParamGroup(IEnumerable<Parameter> parameters, TOptions? options = null)
        {
            Parameters = parameters;
            base.Options = options;
        }

        public new TOptions? Options
        {
            get => (TOptions?)base.Options;
            set => base.Options = value;
        }
    }

    /// <summary>What the optimizers share: states by parameter, saving and loading.</summary>
    public abstract class OptimizerHelper : Optimizer
    {
        public OptimizerHelper()
        {
        }

        protected internal OptimizerOptions? _defaults;
        protected internal OrderedDict<nint, OptimizerState> _state = [];

        public virtual StateDictionary state_dict()
        {
            var result = new StateDictionary();
            var index = 0;
            foreach (var group in _parameter_groups)
            {
                var indices = new List<int>();
                foreach (var parameter in group.Parameters)
                {
                    result.State.Add(_state[parameter.Handle]);
                    indices.Add(index++);
                }
                result.StateIndexRef.Add(indices);
                result.Options.Add(group.Options!);
            }
            return result;
        }

        public virtual void load_state_dict(StateDictionary state_dict)
        {
            if (state_dict.Options.Count != _parameter_groups.Count)
            {
                throw new ArgumentException("loaded state dict has a different number of parameter groups");
            }
            var index = 0;
            for (var k = 0; k < _parameter_groups.Count; k++)
            {
                _parameter_groups[k].Options!.LoadStateDict(state_dict.Options[k]);
                foreach (var parameter in _parameter_groups[k].Parameters)
                {
                    _state[parameter.Handle].LoadStateDict(state_dict.State[index++]);
                }
            }
        }

        public void to(torch.Device device)
        {
            foreach (var (_, state) in _state) state.to(device);
        }

        protected override void Dispose(bool disposing)
        {
            if (!disposing) return;
            foreach (var (_, state) in _state) (state as IDisposable)?.Dispose();
            _state.Clear();
        }

        private protected void Add<TOptions>(ParamGroup<TOptions> group, Func<Parameter, OptimizerState> create)
            where TOptions : OptimizerOptions, new()
        {
            group.Options ??= new TOptions();
            Complete(group.Options);
            group.Options.InitialLearningRate = group.Options.LearningRate!.Value;
            group.Parameters = group.Parameters.ToArray();
            _parameter_groups.Add(group);
            foreach (var parameter in group.Parameters)
            {
                var state = create(parameter);
                _state[parameter.Handle] = state;
                state.Initialize(group.Options);
            }
        }

        /// <summary>Fills what a group's options leave open from the defaults.</summary>
        private protected abstract void Complete(OptimizerOptions options);

        private protected torch.Tensor Step(Func<torch.Tensor>? closure, Action<ParamGroup> step)
        {
            torch.Tensor? loss = null;
            if (closure is not null)
            {
                using (torch.enable_grad()) loss = closure();
            }
            using var scope = torch.NewDisposeScope();
            using var _ = torch.no_grad();
            foreach (var group in _parameter_groups) step(group);
            return loss!;
        }

        /// <summary>The parameters of a group that have gradients, with them.</summary>
        private protected static (List<Parameter> Parameters, List<torch.Tensor> Grads) WithGrads(ParamGroup group)
        {
            var parameters = new List<Parameter>();
            var grads = new List<torch.Tensor>();
            foreach (var parameter in group.Parameters)
            {
                if (parameter.grad is not { } grad) continue;
                parameters.Add(parameter);
                grads.Add(grad);
            }
            return (parameters, grads);
        }
    }
}
