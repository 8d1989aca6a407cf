using TorchSharp.Native;

namespace TorchSharp;

public static unsafe partial class torch
{
    public partial class Tensor
    {
        [System.Runtime.CompilerServices.IndexerName("TensorItems")]
        public Tensor this[params TensorIndex[] indices]
        {
            get => index(indices);
            set => Assign(value, indices);
        }

        [System.Runtime.CompilerServices.IndexerName("TensorItems")]
        public Tensor this[params Tensor[] indices]
        {
            get => index(indices);
            set => index_put_(value, indices);
        }

        [System.Runtime.CompilerServices.IndexerName("TensorItems")]
        public Tensor this[params long[] indices]
        {
            get => Select(indices);
            set => AssignAt(value, indices);
        }

        [System.Runtime.CompilerServices.IndexerName("TensorItems")]
        public Tensor this[long i1]
        {
            get => Select(i1);
            set => AssignAt(value, i1);
        }

        [System.Runtime.CompilerServices.IndexerName("TensorItems")]
        public Tensor this[long i1, long i2]
        {
            get => Select(i1, i2);
            set => AssignAt(value, i1, i2);
        }

        [System.Runtime.CompilerServices.IndexerName("TensorItems")]
        public Tensor this[long i1, long i2, long i3]
        {
            get => Select(i1, i2, i3);
            set => AssignAt(value, i1, i2, i3);
        }

        [System.Runtime.CompilerServices.IndexerName("TensorItems")]
        public Tensor this[long i1, long i2, long i3, long i4]
        {
            get => Select(i1, i2, i3, i4);
            set => AssignAt(value, i1, i2, i3, i4);
        }

        [System.Runtime.CompilerServices.IndexerName("TensorItems")]
        public Tensor this[long i1, long i2, long i3, long i4, long i5]
        {
            get => Select(i1, i2, i3, i4, i5);
            set => AssignAt(value, i1, i2, i3, i4, i5);
        }

        [System.Runtime.CompilerServices.IndexerName("TensorItems")]
        public Tensor this[long i1, long i2, long i3, long i4, long i5, long i6]
        {
            get => Select(i1, i2, i3, i4, i5, i6);
            set => AssignAt(value, i1, i2, i3, i4, i5, i6);
        }

        public Tensor index(params Tensor[] indices) => Ops.index_Tensor.Call(this, Arg.Optional(indices));

        public Tensor index(params TensorIndex[] indices)
        {
            var (view, tensors) = Resolve(indices);
            if (tensors is null) return view;
            var result = Ops.index_Tensor.Call(view, Arg.Optional(tensors));
            view.Dispose();
            return result;
        }

        public Tensor index_put_(Tensor value, params Tensor[] indices) => Ops.index_put_.InPlace(this, this, Arg.Optional(indices), value);

        public Tensor index_put_(Scalar value, params Tensor[] indices)
        {
            using var tensor = Filled(value);
            return index_put_(tensor, indices);
        }

        public Tensor index_put_(Tensor value, params TensorIndex[] indices)
        {
            Assign(value, indices);
            return this;
        }

        public Tensor index_put_(Scalar value, params TensorIndex[] indices)
        {
            using var tensor = Filled(value);
            return index_put_(tensor, indices);
        }

        private Tensor Filled(Scalar value) => Ops.full.Call(Array.Empty<long>(), value, dtype, Arg.None, device);

        private void Assign(Tensor value, TensorIndex[] indices)
        {
            var (view, tensors) = Resolve(indices);
            using (view)
            {
                if (tensors is null) Ops.copy_.Run(view, value);
                else Ops.index_put_.Run(view, Arg.Optional(tensors), value);
            }
        }

        private Tensor Select(params ReadOnlySpan<long> indices)
        {
            var view = this;
            foreach (var index in indices) view = Next(view, Ops.select_int.Call(view, 0, index));
            return ReferenceEquals(view, this) ? alias() : view;
        }

        private void AssignAt(Tensor value, params ReadOnlySpan<long> indices)
        {
            using var view = Select(indices);
            Ops.copy_.Run(view, value);
        }

        // Whole numbers, slices, new and elided dimensions make a view; what is left for index tensors stands per dimension of it.
        private (Tensor View, Tensor?[]? Tensors) Resolve(TensorIndex[] indices)
        {
            var view = this;
            Tensor?[]? tensors = null;
            var taken = 0;
            foreach (var index in indices)
            {
                if (index.What is TensorIndex.Kind.Single or TensorIndex.Kind.Slice) taken++;
                else if (index.What == TensorIndex.Kind.Tensor) taken += index.Indices!.dtype == ScalarType.Bool
                    ? (int)index.Indices.Dimensions : 1;
            }
            var elided = (int)Dimensions - taken;
            var at = 0;
            var positions = new List<(int At, Tensor Indices)>();
            foreach (var index in indices)
            {
                switch (index.What)
                {
                    case TensorIndex.Kind.Single when index.Start is { } start:
                        view = Next(view, Ops.select_int.Call(view, at, start));
                        break;
                    case TensorIndex.Kind.Slice:
                        if (index.Start is not null || index.Stop is not null || index.Step is not null)
                        {
                            view = Next(view, Ops.slice_Tensor.Call(view, at, index.Start, index.Stop, index.Step ?? 1));
                        }
                        at++;
                        break;
                    case TensorIndex.Kind.Ellipsis:
                        at += elided;
                        break;
                    case TensorIndex.Kind.Tensor:
                        positions.Add((at, index.Indices!));
                        at += index.Indices!.dtype == ScalarType.Bool ? (int)index.Indices.Dimensions : 1;
                        break;
                    case TensorIndex.Kind.Bool:
                        view = Next(view, Ops.unsqueeze.Call(view, at));
                        positions.Add((at++, torch.tensor(index.Start != 0).unsqueeze(0)));
                        break;
                    default:
                        view = Next(view, Ops.unsqueeze.Call(view, at));
                        at++;
                        break;
                }
            }
            if (positions.Count > 0)
            {
                var list = new List<Tensor?>();
                var dimension = 0;
                foreach (var (position, tensor) in positions)
                {
                    for (; dimension < position; dimension++) list.Add(null);
                    list.Add(tensor);
                    dimension += tensor.dtype == ScalarType.Bool ? (int)tensor.Dimensions : 1;
                }
                tensors = [.. list];
            }
            return (ReferenceEquals(view, this) ? alias() : view, tensors);
        }

        private Tensor Next(Tensor before, Tensor after)
        {
            if (!ReferenceEquals(before, this)) before.Dispose();
            return after;
        }
    }
}
