using TorchSharp.Native;

namespace TorchSharp;

public static unsafe partial class torch
{
    // Shapes, indexing by tensors, products of matrices, filling and drawing.
    public partial class Tensor
    {
        public Tensor addmm(Tensor mat1, Tensor mat2, float beta = 1f, float alpha = 1f) =>
            Ops.addmm.Call(this, mat1, mat2, (double)beta, (double)alpha);
        public Tensor addmm_(Tensor mat1, Tensor mat2, float beta = 1f, float alpha = 1f) =>
            Ops.addmm_.InPlace(this, this, mat1, mat2, (double)beta, (double)alpha);
        public Tensor as_strided(long[] size, long[] strides, long storageOffset = 0) =>
            Ops.as_strided.Call(this, size, strides, storageOffset);
        public Tensor baddbmm(Tensor batch1, Tensor batch2, float beta = 1f, float alpha = 1f) =>
            Ops.baddbmm.Call(this, batch1, batch2, (double)beta, (double)alpha);
        public Tensor bernoulli(Generator? generator = null) => Ops.bernoulli.Call(this, generator);
        public Tensor bernoulli_(Tensor p, Generator? generator = null) => Ops.bernoulli__Tensor.InPlace(this, this, p, generator);
        public Tensor bernoulli_(double p = 0.5, Generator? generator = null) => Ops.bernoulli__float.InPlace(this, this, p, generator);
        public Tensor bmm(Tensor batch2) => Ops.bmm.Call(this, batch2);
        public Tensor broadcast_to(params long[] shape) => Ops.broadcast_to.Call(this, shape);
        public Tensor[] chunk(long chunks, long dim = 0) => Ops.chunk.CallList(this, chunks, dim);
        public Tensor clone() => Ops.clone.Call(this);
        public Tensor contiguous() => Ops.contiguous.Call(this);
        public Tensor copy_(Tensor source, bool nonBlocking = false) => Ops.copy_.InPlace(this, this, source, nonBlocking);
        public Tensor detach() => Ops.detach.Call(this);
        public Tensor detach_() => Ops.detach_.InPlace(this, this);
        public Tensor diag(long diagonal = 0) => Ops.diag.Call(this, diagonal);
        public Tensor diag_embed(long offset = 0, long dim1 = -2, long dim2 = -1) => Ops.diag_embed.Call(this, offset, dim1, dim2);
        public Tensor diagonal(long offset = 0, long dim1 = 0, long dim2 = 0) => Ops.diagonal.Call(this, offset, dim1, dim2);
        public Tensor dot(Tensor target) => Ops.dot.Call(this, target);
        public Tensor empty_like(ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
            Made(Ops.empty_like.Call(this, dtype, Arg.None, device), requires_grad);
        public Tensor expand(ReadOnlySpan<long> sizes, bool isImplicit = false) => Ops.expand.Call(this, sizes, isImplicit);
        public Tensor expand(Size sizes, bool isImplicit = false) => Ops.expand.Call(this, sizes.Shape, isImplicit);
        public Tensor expand(long[] sizes, bool isImplicit = false) => Ops.expand.Call(this, sizes, isImplicit);
        public Tensor expand(params long[] sizes) => Ops.expand.Call(this, sizes);
        public Tensor expand_as(Tensor other) => Ops.expand_as.Call(this, other);
        public Tensor exponential_(double lambda = 1, Generator? generator = null) =>
            Ops.exponential_.InPlace(this, this, lambda, generator);
        public Tensor fill_(Scalar value) => Ops.fill__Scalar.InPlace(this, this, value);
        public Tensor flatten(long start_dim = 0, long end_dim = -1) => Ops.flatten_using_ints.Call(this, start_dim, end_dim);
        public Tensor flip(params long[] dims) => Ops.flip.Call(this, dims);
        public Tensor full_like(Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
            Made(Ops.full_like.Call(this, value, dtype, Arg.None, device), requires_grad);
        public Tensor gather(long dim, Tensor index) => Ops.gather.Call(this, dim, index);
        public Tensor index_add(long dim, Tensor index, Tensor source, Scalar alpha) => Ops.index_add.Call(this, dim, index, source, alpha);
        public Tensor index_add_(long dim, Tensor index, Tensor source, Scalar alpha) =>
            Ops.index_add_.InPlace(this, this, dim, index, source, alpha);
        public Tensor index_select(long dim, Tensor index) => Ops.index_select.Call(this, dim, index);
        public Tensor masked_fill(Tensor mask, Scalar value) => Ops.masked_fill_Scalar.Call(this, mask, value);
        public Tensor masked_fill_(Tensor mask, Scalar value) => Ops.masked_fill__Scalar.InPlace(this, this, mask, value);
        public Tensor masked_scatter(Tensor mask, Tensor value) => Ops.masked_scatter.Call(this, mask, value);
        public Tensor masked_select(Tensor mask) => Ops.masked_select.Call(this, mask);
        public Tensor matmul(Tensor target) => Ops.matmul.Call(this, target);
        public Tensor mm(Tensor target) => Ops.mm.Call(this, target);
        public Tensor movedim(long[] source, long[] destination) => Ops.movedim_intlist.Call(this, source, destination);
        public Tensor multinomial(long num_samples, bool replacement = false, Generator? generator = null) =>
            Ops.multinomial.Call(this, num_samples, replacement, generator);
        public Tensor mv(Tensor target) => Ops.mv.Call(this, target);
        public Tensor narrow(long dim, long start, long length) => Ops.narrow.Call(this, dim, start, length);
        public Tensor nonzero() => Ops.nonzero.Call(this);
        public Tensor normal_(double mean = 0, double std = 1, Generator? generator = null) =>
            Ops.normal_.InPlace(this, this, mean, std, generator);
        public Tensor ones_like(ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
            Made(Ops.ones_like.Call(this, dtype, Arg.None, device), requires_grad);
        public Tensor outer(Tensor vec2) => Ops.outer.Call(this, vec2);
        public Tensor permute(IEnumerable<long> permutation) => Ops.permute.Call(this, permutation.ToArray());
        public Tensor permute(params long[] permutation) => Ops.permute.Call(this, permutation);
        public Tensor rand_like(ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
            Made(Ops.rand_like.Call(this, dtype, Arg.None, device), requires_grad);
        public Tensor randint_like(long low, long high, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
            Made(Ops.randint_like_low_dtype.Call(this, low, high, dtype, Arg.None, device), requires_grad);
        public Tensor randn_like(ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
            Made(Ops.randn_like.Call(this, dtype, Arg.None, device), requires_grad);
        public Tensor random_(double from, double to, Generator? generator = null) =>
            Ops.random__from.InPlace(this, this, (long)from, (long)to, generator);
        public Tensor repeat(params long[] sizes) => Ops.repeat.Call(this, sizes);
        public Tensor repeat_interleave(Tensor repeats, long? dim = null, long? output_size = null) =>
            Ops.repeat_interleave_self_Tensor.Call(this, repeats, dim, output_size);
        public Tensor repeat_interleave(long repeats, long? dim = null, long? output_size = null) =>
            Ops.repeat_interleave_self_int.Call(this, repeats, dim, output_size);
        public Tensor reshape(params long[] shape) => Ops.reshape.Call(this, shape);
        public Tensor roll(ReadOnlySpan<long> shifts, ReadOnlySpan<long> dims = default) => Ops.roll.Call(this, shifts, dims);
        public Tensor roll(long shifts, long? dims = null) =>
            Ops.roll.Call(this, new[] { shifts }, dims is { } d ? [d] : Array.Empty<long>());
        public Tensor roll(long[] shifts) => Ops.roll.Call(this, shifts);
        public Tensor roll(long[] shifts, long[] dims) => Ops.roll.Call(this, shifts, dims);
        public Tensor scatter(long dim, Tensor index, Tensor src) => Ops.scatter_src.Call(this, dim, index, src);
        public Tensor scatter_(long dim, Tensor index, Tensor src) => Ops.scatter__src.InPlace(this, this, dim, index, src);
        public Tensor scatter_add(long dim, Tensor index, Tensor src) => Ops.scatter_add.Call(this, dim, index, src);
        public Tensor scatter_add_(long dim, Tensor index, Tensor src) => Ops.scatter_add_.InPlace(this, this, dim, index, src);
        public Tensor select(long dim, long index) => Ops.select_int.Call(this, dim, index);
        public Tensor slice(long dim, long start, long finish, long step) => Ops.slice_Tensor.Call(this, dim, start, finish, step);
        public Tensor[] split(long size, int dim = 0) => Ops.split.CallList(this, size, (long)dim);
        public Tensor[] split(long[] sizes, long dim = 0) => Ops.split_with_sizes.CallList(this, sizes, dim);
        public Tensor[] split(params long[] sizes) => Ops.split_with_sizes.CallList(this, sizes);
        public Tensor squeeze(long? dim = null) => dim is { } d ? Ops.squeeze_dim.Call(this, d) : Ops.squeeze.Call(this);
        public Tensor squeeze_(long? dim = null) =>
            dim is { } d ? Ops.squeeze__dim.InPlace(this, this, d) : Ops.squeeze_.InPlace(this, this);
        public Tensor t() => Ops.t.Call(this);
        public Tensor take(Tensor index) => Ops.take.Call(this, index);
        public Tensor transpose(long dim0, long dim1) => Ops.transpose_int.Call(this, dim0, dim1);
        public Tensor tril(long diagonal = 0) => Ops.tril.Call(this, diagonal);
        public Tensor tril_(long diagonal = 0) => Ops.tril_.InPlace(this, this, diagonal);
        public Tensor triu(long diagonal = 0) => Ops.triu.Call(this, diagonal);
        public Tensor triu_(long diagonal = 0) => Ops.triu_.InPlace(this, this, diagonal);
        public Tensor[] unbind(long dimension = 0) => Ops.unbind.CallList(this, dimension);
        public Tensor unflatten(long dim, Size sizes) => unflatten(dim, sizes.Shape);
        public Tensor unfold(long dimension, long size, long step) => Ops.unfold.Call(this, dimension, size, step);
        public Tensor uniform_(double from, double to, Generator? generator = null) =>
            Ops.uniform_.InPlace(this, this, from, to, generator);
        public Tensor unsqueeze(long dim) => Ops.unsqueeze.Call(this, dim);
        public Tensor unsqueeze_(long dim) => Ops.unsqueeze_.InPlace(this, this, dim);
        public Tensor view(params long[] shape) => Ops.view.Call(this, shape);
        public Tensor view_as(Tensor other) => Ops.view_as.Call(this, other);
        public Tensor where(Tensor condition, Tensor y) => Ops.where_self.Call(condition, this, y);
        public Tensor zero_() => Ops.zero_.InPlace(this, this);
        public Tensor zeros_like(ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
            Made(Ops.zeros_like.Call(this, dtype, Arg.None, device), requires_grad);
    }
}
