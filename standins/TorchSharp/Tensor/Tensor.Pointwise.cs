using TorchSharp.Native;

namespace TorchSharp;

public static unsafe partial class torch
{
    // Element by element.
    public partial class Tensor
    {
        public Tensor abs() => Ops.abs.Call(this);
        public Tensor add(Scalar scalar) => Ops.add_Scalar.Call(this, scalar);
        public Tensor add(Scalar scalar, Scalar alpha) => Ops.add_Scalar.Call(this, scalar, alpha);
        public Tensor add(Tensor target) => Ops.add_Tensor.Call(this, target);
        public Tensor add(Tensor target, Scalar alpha) => Ops.add_Tensor.Call(this, target, alpha);
        public Tensor add_(Scalar scalar) => Ops.add__Scalar.InPlace(this, this, scalar);
        public Tensor add_(Scalar scalar, Scalar alpha) => Ops.add__Scalar.InPlace(this, this, scalar, alpha);
        public Tensor add_(Tensor target) => Ops.add__Tensor.InPlace(this, this, target);
        public Tensor add_(Tensor target, Scalar alpha) => Ops.add__Tensor.InPlace(this, this, target, alpha);
        public Tensor addcdiv(Tensor tensor1, Tensor tensor2) => Ops.addcdiv.Call(this, tensor1, tensor2);
        public Tensor addcdiv(Tensor tensor1, Tensor tensor2, Scalar value) => Ops.addcdiv.Call(this, tensor1, tensor2, value);
        public Tensor addcdiv_(Tensor tensor1, Tensor tensor2) => Ops.addcdiv_.InPlace(this, this, tensor1, tensor2);
        public Tensor addcdiv_(Tensor tensor1, Tensor tensor2, Scalar value) => Ops.addcdiv_.InPlace(this, this, tensor1, tensor2, value);
        public Tensor addcmul(Tensor tensor1, Tensor tensor2, Scalar value) => Ops.addcmul.Call(this, tensor1, tensor2, value);
        public Tensor addcmul_(Tensor tensor1, Tensor tensor2, Scalar value) => Ops.addcmul_.InPlace(this, this, tensor1, tensor2, value);
        public Tensor atan2(Tensor other) => Ops.atan2.Call(this, other);
        public Tensor bitwise_and(Tensor other) => Ops.bitwise_and_Tensor.Call(this, other);
        public Tensor bitwise_or(Tensor other) => Ops.bitwise_or_Tensor.Call(this, other);
        public Tensor ceil() => Ops.ceil.Call(this);
        public Tensor clamp(Scalar? min = null, Scalar? max = null) => Ops.clamp.Call(this, min, max);
        public Tensor clamp(Tensor? min = null, Tensor? max = null) => Ops.clamp_Tensor.Call(this, min, max);
        public Tensor clamp_(Scalar? min = null, Scalar? max = null) => Ops.clamp_.InPlace(this, this, min, max);
        public Tensor clamp_(Tensor? min = null, Tensor? max = null) => Ops.clamp__Tensor.InPlace(this, this, min, max);
        public Tensor clamp_max(Scalar max) => Ops.clamp_max.Call(this, max);
        public Tensor clamp_max_(Scalar max) => Ops.clamp_max_.InPlace(this, this, max);
        public Tensor clamp_min(Scalar min) => Ops.clamp_min.Call(this, min);
        public Tensor clamp_min_(Scalar min) => Ops.clamp_min_.InPlace(this, this, min);
        public Tensor cos() => Ops.cos.Call(this);
        public Tensor div(Scalar target, RoundingMode rounding_mode = (RoundingMode)0) =>
            rounding_mode == RoundingMode.None ? Ops.div_Scalar.Call(this, target)
            : Ops.div_Scalar_mode.Call(this, target, RoundingText(rounding_mode));
        public Tensor div(Tensor target, RoundingMode rounding_mode = (RoundingMode)0) =>
            rounding_mode == RoundingMode.None ? Ops.div_Tensor.Call(this, target)
            : Ops.div_Tensor_mode.Call(this, target, RoundingText(rounding_mode));
        public Tensor div_(Scalar target, RoundingMode rounding_mode = (RoundingMode)0) =>
            rounding_mode == RoundingMode.None ? Ops.div__Scalar.InPlace(this, this, target)
            : Ops.div__Scalar_mode.InPlace(this, this, target, RoundingText(rounding_mode));
        public Tensor div_(Tensor target, RoundingMode rounding_mode = (RoundingMode)0) =>
            rounding_mode == RoundingMode.None ? Ops.div__Tensor.InPlace(this, this, target)
            : Ops.div__Tensor_mode.InPlace(this, this, target, RoundingText(rounding_mode));
        public Tensor divide(Scalar target, RoundingMode rounding_mode = (RoundingMode)0) =>
            rounding_mode == RoundingMode.None ? Ops.div_Scalar.Call(this, target)
            : Ops.div_Scalar_mode.Call(this, target, RoundingText(rounding_mode));
        public Tensor divide(Tensor target, RoundingMode rounding_mode = (RoundingMode)0) =>
            rounding_mode == RoundingMode.None ? Ops.div_Tensor.Call(this, target)
            : Ops.div_Tensor_mode.Call(this, target, RoundingText(rounding_mode));
        public Tensor eq(Scalar target) => Ops.eq_Scalar.Call(this, target);
        public Tensor eq(Tensor target) => Ops.eq_Tensor.Call(this, target);
        public Tensor erf() => Ops.erf.Call(this);
        public Tensor exp() => Ops.exp.Call(this);
        public Tensor expm1() => Ops.expm1.Call(this);
        public Tensor floor() => Ops.floor.Call(this);
        public Tensor floor_divide(Scalar other) => Ops.floor_divide_Scalar.Call(this, other);
        public Tensor floor_divide(Tensor other) => Ops.floor_divide.Call(this, other);
        public Tensor ge(Scalar target) => Ops.ge_Scalar.Call(this, target);
        public Tensor ge(Tensor target) => Ops.ge_Tensor.Call(this, target);
        public Tensor gelu() => Ops.gelu.Call(this);
        public Tensor gt(Scalar target) => Ops.gt_Scalar.Call(this, target);
        public Tensor gt(Tensor target) => Ops.gt_Tensor.Call(this, target);
        public Tensor isfinite() => Ops.isfinite.Call(this);
        public Tensor isinf() => Ops.isinf.Call(this);
        public Tensor isnan() => Ops.isnan.Call(this);
        public Tensor le(Scalar target) => Ops.le_Scalar.Call(this, target);
        public Tensor le(Tensor target) => Ops.le_Tensor.Call(this, target);
        public Tensor lerp(Tensor end, Tensor weight) => Ops.lerp_Tensor.Call(this, end, weight);
        public Tensor lerp_(Tensor end, Tensor weight) => Ops.lerp__Tensor.InPlace(this, this, end, weight);
        public Tensor log() => Ops.log.Call(this);
        public Tensor log1p() => Ops.log1p.Call(this);
        public Tensor log2() => Ops.log2.Call(this);
        public Tensor logical_and(Tensor other) => Ops.logical_and.Call(this, other);
        public Tensor logical_not() => Ops.logical_not.Call(this);
        public Tensor logical_or(Tensor other) => Ops.logical_or.Call(this, other);
        public Tensor logical_xor(Tensor other) => Ops.logical_xor.Call(this, other);
        public Tensor lt(Scalar target) => Ops.lt_Scalar.Call(this, target);
        public Tensor lt(Tensor target) => Ops.lt_Tensor.Call(this, target);
        public Tensor maximum(Tensor other) => Ops.maximum.Call(this, other);
        public Tensor minimum(Tensor other) => Ops.minimum.Call(this, other);
        public Tensor mul(Scalar target) => Ops.mul_Scalar.Call(this, target);
        public Tensor mul(Tensor target) => Ops.mul_Tensor.Call(this, target);
        public Tensor mul_(Scalar target) => Ops.mul__Scalar.InPlace(this, this, target);
        public Tensor mul_(Tensor target) => Ops.mul__Tensor.InPlace(this, this, target);
        public Tensor multiply(Scalar target) => Ops.multiply_Scalar.Call(this, target);
        public Tensor multiply(Tensor target) => Ops.multiply_Tensor.Call(this, target);
        public Tensor nan_to_num(double nan = 0, double? posinf = null, double? neginf = null) =>
            Ops.nan_to_num.Call(this, nan, posinf, neginf);
        public Tensor ne(Scalar target) => Ops.ne_Scalar.Call(this, target);
        public Tensor ne(Tensor target) => Ops.ne_Tensor.Call(this, target);
        public Tensor neg() => Ops.neg.Call(this);
        public Tensor pow(Scalar exponent) => Ops.pow_Tensor_Scalar.Call(this, exponent);
        public Tensor pow(Tensor exponent) => Ops.pow_Tensor_Tensor.Call(this, exponent);
        public Tensor pow_(Scalar exponent) => Ops.pow__Scalar.InPlace(this, this, exponent);
        public Tensor pow_(Tensor exponent) => Ops.pow__Tensor.InPlace(this, this, exponent);
        public Tensor reciprocal() => Ops.reciprocal.Call(this);
        public Tensor relu() => Ops.relu.Call(this);
        public Tensor relu_() => Ops.relu_.InPlace(this, this);
        public Tensor remainder(Scalar scalar) => Ops.remainder_Scalar.Call(this, scalar);
        public Tensor remainder(Tensor target) => Ops.remainder_Tensor.Call(this, target);
        public Tensor round(long decimals = 0) => Ops.round_decimals.Call(this, decimals);
        public Tensor rsqrt() => Ops.rsqrt.Call(this);
        public Tensor sigmoid() => Ops.sigmoid.Call(this);
        public Tensor sign() => Ops.sign.Call(this);
        public Tensor sin() => Ops.sin.Call(this);
        public Tensor sqrt() => Ops.sqrt.Call(this);
        public Tensor sqrt_() => Ops.sqrt_.InPlace(this, this);
        public Tensor square() => Ops.square.Call(this);
        public Tensor sub(Scalar target) => Ops.sub_Scalar.Call(this, target);
        public Tensor sub(Tensor target) => Ops.sub_Tensor.Call(this, target);
        public Tensor subtract(Scalar target) => Ops.subtract_Scalar.Call(this, target);
        public Tensor subtract(Tensor target) => Ops.subtract_Tensor.Call(this, target);
        public Tensor tanh() => Ops.tanh.Call(this);
        public Tensor trunc() => Ops.trunc.Call(this);
    }
}
