// A C interface to libtorch, thin because operators go through the c10 dispatcher: an operator is looked up once by name and
// overload, its handle is kept, and every call pushes tagged arguments, fills the missing ones from the schema and calls it
// boxed. Beside that only what the dispatcher lacks: memory, autograd, grad mode, generators, threads, devices, error text.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/version.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#define API extern "C" __attribute__((visibility("default")))

namespace {

using TensorHandle = c10::TensorImpl*;
using GeneratorHandle = c10::GeneratorImpl*;

// Mirrors Native/Arg.cs.
enum class Tag : int32_t {
    Default = 0, None = 1, Tensor = 2, Int = 3, Double = 4, Bool = 5, IntList = 6, DoubleList = 7, TensorList = 8,
    String = 9, Device = 10, Generator = 11, OptionalTensorList = 12, BoolList = 13,
};

struct Arg {
    Tag tag;
    int32_t count;
    union {
        int64_t i;
        double d;
        void* p;
    };
};

// What the schema expects of an argument, where a value has to be turned into it.
enum class Kind : uint8_t { Any, Float };

struct Operator {
    c10::OperatorHandle handle;
    std::vector<Kind> kinds;
    size_t arguments;
    std::string name;
};

thread_local std::string last_error;
thread_local std::vector<Arg> results;
thread_local c10::Stack call_stack;

template <typename F>
int guarded(F&& body) noexcept {
    try {
        body();
        return 0;
    } catch (const c10::Error& e) {
        last_error = e.what_without_backtrace();
    } catch (const std::exception& e) {
        last_error = e.what();
    } catch (...) {
        last_error = "unknown native exception";
    }
    return -1;
}

at::Tensor borrow(TensorHandle handle) {
    return handle == nullptr ? at::Tensor() : at::Tensor(c10::intrusive_ptr<c10::TensorImpl>::reclaim_copy(handle));
}

TensorHandle give(at::Tensor tensor) {
    return tensor.defined() ? tensor.unsafeReleaseTensorImpl() : nullptr;
}

at::Generator borrow_generator(GeneratorHandle handle) {
    return at::Generator(c10::intrusive_ptr<c10::GeneratorImpl>::reclaim_copy(handle));
}

GeneratorHandle give_generator(const at::Generator& generator) {
    auto* impl = generator.unsafeGetGeneratorImpl();
    c10::raw::intrusive_ptr::incref(impl);
    return impl;
}

// The optional of this libtorch: its own class before 2.x, the standard one since.
template <template <typename...> class Optional, typename T>
Optional<at::Tensor> of_tensor(const Optional<T>&);
using OptionalTensor = decltype(of_tensor(std::declval<const c10::Argument&>().default_value()));

bool is_float(const c10::TypePtr& type) {
    if (type->kind() == c10::TypeKind::OptionalType) return is_float(type->castRaw<c10::OptionalType>()->getElementType());
    return type->kind() == c10::TypeKind::FloatType;
}

std::vector<at::Tensor> tensors(const Arg& arg) {
    auto** handles = static_cast<TensorHandle*>(arg.p);
    std::vector<at::Tensor> list;
    list.reserve(arg.count);
    for (int32_t k = 0; k < arg.count; ++k) list.push_back(borrow(handles[k]));
    return list;
}

c10::IValue value_of(const Arg& arg, Kind kind, const c10::Argument& schema) {
    switch (arg.tag) {
        case Tag::Default: {
            const auto& value = schema.default_value();
            TORCH_CHECK(value.has_value(), "missing value for argument '", schema.name(), "'");
            return *value;
        }
        case Tag::None: return c10::IValue();
        case Tag::Tensor: return borrow(static_cast<TensorHandle>(arg.p));
        case Tag::Int: return kind == Kind::Float ? c10::IValue(static_cast<double>(arg.i)) : c10::IValue(arg.i);
        case Tag::Double: return arg.d;
        case Tag::Bool: return arg.i != 0;
        case Tag::IntList: {
            auto* data = static_cast<const int64_t*>(arg.p);
            return c10::IValue(at::IntArrayRef(data, arg.count));
        }
        case Tag::DoubleList: {
            auto* data = static_cast<const double*>(arg.p);
            return c10::IValue(at::ArrayRef<double>(data, arg.count));
        }
        case Tag::BoolList: {
            auto* data = static_cast<const uint8_t*>(arg.p);
            c10::List<bool> list;
            for (int32_t k = 0; k < arg.count; ++k) list.push_back(data[k] != 0);
            return list;
        }
        case Tag::TensorList: return c10::IValue(tensors(arg));
        case Tag::OptionalTensorList: {
            auto** handles = static_cast<TensorHandle*>(arg.p);
            c10::List<OptionalTensor> list;
            list.reserve(arg.count);
            for (int32_t k = 0; k < arg.count; ++k) {
                list.push_back(handles[k] == nullptr ? OptionalTensor() : OptionalTensor(borrow(handles[k])));
            }
            return list;
        }
        case Tag::String: return std::string(static_cast<const char*>(arg.p), arg.count);
        case Tag::Device: return c10::Device(static_cast<c10::DeviceType>(arg.count), static_cast<c10::DeviceIndex>(arg.i));
        case Tag::Generator: return c10::IValue(borrow_generator(static_cast<GeneratorHandle>(arg.p)));
    }
    TORCH_CHECK(false, "unknown argument tag ", static_cast<int>(arg.tag));
}

void add_result(c10::IValue&& value) {
    Arg out{};
    if (value.isTensor()) {
        out.tag = Tag::Tensor;
        out.p = give(std::move(value).toTensor());
    } else if (value.isTensorList()) {
        for (at::Tensor tensor : value.toTensorVector()) {
            Arg item{};
            item.tag = Tag::Tensor;
            item.p = give(std::move(tensor));
            results.push_back(item);
        }
        return;
    } else if (value.isDouble()) {
        out.tag = Tag::Double;
        out.d = value.toDouble();
    } else if (value.isInt()) {
        out.tag = Tag::Int;
        out.i = value.toInt();
    } else if (value.isBool()) {
        out.tag = Tag::Bool;
        out.i = value.toBool() ? 1 : 0;
    } else {
        out.tag = Tag::None;
    }
    results.push_back(out);
}

c10::Device device_of(int32_t type, int32_t index) {
    return c10::Device(static_cast<c10::DeviceType>(type), static_cast<c10::DeviceIndex>(index));
}

const at::Generator& default_generator(int32_t type, int32_t index) {
    return at::globalContext().defaultGenerator(device_of(type, index));
}

int32_t cuda_devices() {
    if (!at::globalContext().hasCUDA()) return 0;
    return c10::impl::getDeviceGuardImpl(c10::DeviceType::CUDA)->deviceCount();
}

}  // namespace

API const char* ssl_error() { return last_error.c_str(); }
API const char* ssl_version() { return TORCH_VERSION; }

// ---- operators -------------------------------------------------------------------------------------------------------

API int ssl_operator(const char* name, const char* overload, void** out) {
    return guarded([&] {
        auto found = c10::Dispatcher::singleton().findSchema({name, overload});
        TORCH_CHECK(found.has_value(), "this libtorch (", TORCH_VERSION, ") has no operator ", name, ".", overload);
        auto* op = new Operator{*found, {}, found->schema().arguments().size(), name};
        for (const auto& argument : found->schema().arguments()) op->kinds.push_back(is_float(argument.type()) ? Kind::Float : Kind::Any);
        *out = op;
    });
}

// Calls an operator. `keep` = 0 drops the results (operators in place). The results lie in a buffer of this thread, valid
// until its next call; their number is returned, -1 after an error.
API int ssl_call(void* target, const Arg* args, int count, int keep, const Arg** out) {
    results.clear();
    auto failed = guarded([&] {
        auto& op = *static_cast<Operator*>(target);
        const auto& schema = op.handle.schema().arguments();
        TORCH_CHECK(static_cast<size_t>(count) <= op.arguments, op.name, " takes ", op.arguments, " arguments, got ", count);
        // A call can come in while another runs (a hook in backward): take the buffer away while it is in use.
        c10::Stack stack = std::move(call_stack);
        stack.clear();
        static const Arg missing{Tag::Default, 0, {0}};
        for (size_t k = 0; k < op.arguments; ++k) {
            stack.push_back(value_of(k < static_cast<size_t>(count) ? args[k] : missing, op.kinds[k], schema[k]));
        }
        op.handle.callBoxed(stack);
        if (keep != 0) {
            for (auto& value : stack) add_result(std::move(value));
        }
        stack.clear();
        call_stack = std::move(stack);
    });
    if (failed != 0) return -1;
    *out = results.data();
    return static_cast<int>(results.size());
}

// ---- tensors ---------------------------------------------------------------------------------------------------------

API void ssl_free(TensorHandle handle) { at::Tensor(c10::intrusive_ptr<c10::TensorImpl>::reclaim(handle)); }

API TensorHandle ssl_alias(TensorHandle handle) { return give(borrow(handle)); }

struct Info {
    int32_t dtype, device_type, device_index, dim, requires_grad, contiguous, leaf, layout;
    int64_t numel, element_size, storage_offset;
};

API int ssl_info(TensorHandle handle, Info* info) {
    return guarded([&] {
        auto tensor = borrow(handle);
        info->dtype = static_cast<int32_t>(tensor.scalar_type());
        info->device_type = static_cast<int32_t>(tensor.device().type());
        info->device_index = tensor.device().index();
        info->layout = static_cast<int32_t>(tensor.layout());
        info->dim = static_cast<int32_t>(tensor.dim());
        info->requires_grad = tensor.requires_grad();
        info->leaf = tensor.is_leaf();
        auto strided = tensor.layout() == c10::kStrided;
        info->contiguous = strided && tensor.is_contiguous();
        info->storage_offset = strided ? tensor.storage_offset() : 0;
        info->numel = tensor.numel();
        info->element_size = tensor.element_size();
    });
}

API int32_t ssl_dim(TensorHandle handle) { return static_cast<int32_t>(handle->dim()); }
API int32_t ssl_dtype(TensorHandle handle) { return static_cast<int32_t>(c10::typeMetaToScalarType(handle->dtype())); }
API void ssl_sizes(TensorHandle handle, int64_t* out) {
    auto sizes = handle->sizes();
    std::copy(sizes.begin(), sizes.end(), out);
}
API void ssl_strides(TensorHandle handle, int64_t* out) {
    auto strides = handle->strides();
    std::copy(strides.begin(), strides.end(), out);
}

API int ssl_data(TensorHandle handle, void** out) {
    return guarded([&] { *out = borrow(handle).data_ptr(); });
}

// A tensor over the caller's memory; `release(context)` is called when its last user is gone.
API int ssl_from_blob(void* data, const int64_t* sizes, int dim, int dtype, void (*release)(void*), void* context, TensorHandle* out) {
    return guarded([&] {
        auto options = at::TensorOptions().dtype(static_cast<c10::ScalarType>(dtype));
        auto deleter = [release, context](void*) { release(context); };
        *out = give(at::from_blob(data, at::IntArrayRef(sizes, dim), deleter, options));
    });
}

// ---- autograd --------------------------------------------------------------------------------------------------------

API int ssl_backward(TensorHandle handle, const Arg* gradients, int keep_graph, int create_graph, const Arg* inputs) {
    return guarded([&] {
        auto wanted = tensors(*inputs);
        torch::autograd::backward({borrow(handle)}, tensors(*gradients), keep_graph != 0, create_graph != 0, wanted);
    });
}

API int ssl_grad(const Arg* outputs, const Arg* inputs, const Arg* gradients, int keep_graph, int create_graph, int allow_unused,
const Arg** out) {
    results.clear();
    auto failed = guarded([&] {
        auto list = torch::autograd::grad(tensors(*outputs), tensors(*inputs), tensors(*gradients), keep_graph != 0, create_graph != 0,
        allow_unused != 0);
        for (auto& tensor : list) add_result(std::move(tensor));
    });
    if (failed != 0) return -1;
    *out = results.data();
    return static_cast<int>(results.size());
}

API int ssl_get_grad(TensorHandle handle, TensorHandle* out) {
    return guarded([&] { *out = give(borrow(handle).grad()); });
}

API int ssl_set_grad(TensorHandle handle, TensorHandle grad) {
    return guarded([&] { borrow(handle).mutable_grad() = borrow(grad); });
}

API int ssl_set_requires_grad(TensorHandle handle, int value) {
    return guarded([&] { borrow(handle).set_requires_grad(value != 0); });
}

API int ssl_retain_grad(TensorHandle handle) {
    return guarded([&] { borrow(handle).retain_grad(); });
}

API int ssl_grad_mode() { return c10::GradMode::is_enabled(); }
API void ssl_set_grad_mode(int value) { c10::GradMode::set_enabled(value != 0); }
API int ssl_inference_mode() { return c10::InferenceMode::is_enabled(); }
API void* ssl_inference_mode_enter(int value) { return new c10::InferenceMode(value != 0); }
API void ssl_inference_mode_leave(void* guard) { delete static_cast<c10::InferenceMode*>(guard); }

// ---- generators, threads, devices ------------------------------------------------------------------------------------

API int ssl_generator_new(int32_t device_type, int32_t device_index, uint64_t seed, GeneratorHandle* out) {
    return guarded([&] {
        if (device_type == 0) {
            *out = give_generator(at::make_generator<at::CPUGeneratorImpl>(seed));
            return;
        }
        auto source = default_generator(device_type, device_index);
        std::lock_guard<std::mutex> lock(source.mutex());
        auto copy = source.clone();
        copy.set_current_seed(seed);
        *out = give_generator(copy);
    });
}

API int ssl_generator_default(int32_t device_type, int32_t device_index, GeneratorHandle* out) {
    return guarded([&] { *out = give_generator(default_generator(device_type, device_index)); });
}

API void ssl_generator_free(GeneratorHandle handle) { c10::raw::intrusive_ptr::decref(handle); }

API int ssl_generator_seed(GeneratorHandle handle, int set, uint64_t* seed) {
    return guarded([&] {
        auto generator = borrow_generator(handle);
        std::lock_guard<std::mutex> lock(generator.mutex());
        if (set == 1) generator.set_current_seed(*seed);
        else if (set == 2) *seed = generator.seed();
        else *seed = generator.current_seed();
    });
}

API int ssl_generator_state(GeneratorHandle handle, TensorHandle in, TensorHandle* out) {
    return guarded([&] {
        auto generator = borrow_generator(handle);
        std::lock_guard<std::mutex> lock(generator.mutex());
        if (in != nullptr) generator.set_state(borrow(in));
        else *out = give(generator.get_state());
    });
}

API int ssl_manual_seed(uint64_t seed) {
    return guarded([&] { at::manual_seed(seed); });
}

API int ssl_threads(int set, int value, int* out) {
    return guarded([&] {
        switch (set) {
            case 1: at::set_num_threads(value); break;
            case 2: *out = at::get_num_interop_threads(); return;
            case 3: at::set_num_interop_threads(value); return;
            default: break;
        }
        *out = at::get_num_threads();
    });
}

API int ssl_cuda_device_count(int* out) {
    *out = 0;
    return guarded([&] { *out = cuda_devices(); });
}

API int ssl_cuda_synchronize(int32_t index) {
    return guarded([&] {
        TORCH_CHECK(cuda_devices() > 0, "no CUDA device is available");
        c10::impl::VirtualGuardImpl guard(c10::DeviceType::CUDA);
        auto device = index < 0 ? guard.getDevice() : c10::Device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(index));
        guard.synchronizeStream(guard.getStream(device));
    });
}

// ---- optimizers ------------------------------------------------------------------------------------------------------

namespace {

struct AdamStep {
    double learning_rate, beta1, beta2, epsilon, weight_decay;
    int32_t decoupled;
};

// One pass over a piece of a parameter: where the compiler can, in vectors of the widest registers that the machine has.
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void adam_piece(
    float* __restrict parameter, const float* __restrict gradient, float* __restrict mean, float* __restrict square, int64_t count,
    float keep, float decay, float beta1, float beta2, float step, float scale, float epsilon) {
#pragma omp simd
    for (int64_t k = 0; k < count; ++k) {
        auto p = parameter[k] * keep;
        auto g = gradient[k] + decay * p;
        auto m = mean[k] * beta1 + (1 - beta1) * g;
        auto v = square[k] * beta2 + (1 - beta2) * g * g;
        mean[k] = m;
        square[k] = v;
        parameter[k] = p - step * m / (std::sqrt(v) * scale + epsilon);
    }
}

bool plain(const at::Tensor& tensor) {
    return tensor.device().is_cpu() && tensor.scalar_type() == at::kFloat && tensor.layout() == c10::kStrided && tensor.is_contiguous();
}

}  // namespace

// A step of Adam or AdamW over parameters on the CPU, each touched once. A parameter without gradient is left alone, its step not
// counted. Gives 1 where a tensor is not a contiguous one of 32-bit floats on the CPU; nothing is changed then.
API int ssl_adam(TensorHandle* parameters, TensorHandle* means, TensorHandle* squares, int64_t* steps, int count,
const AdamStep* settings) {
    int other = 0;
    auto failed = guarded([&] {
        std::vector<at::Tensor> values(count), gradients(count);
        for (int k = 0; k < count; ++k) {
            values[k] = borrow(parameters[k]);
            gradients[k] = values[k].grad();
            if (!gradients[k].defined()) continue;
            if (!plain(values[k]) || !plain(gradients[k])) {
                other = 1;
                return;
            }
        }
        const auto& s = *settings;
        for (int k = 0; k < count; ++k) {
            if (!gradients[k].defined()) continue;
            auto step = ++steps[k];
            auto correction1 = 1 - std::pow(s.beta1, step), correction2 = 1 - std::pow(s.beta2, step);
            auto keep = s.decoupled != 0 ? 1 - s.learning_rate * s.weight_decay : 1.0;
            auto decay = s.decoupled != 0 ? 0.0 : s.weight_decay;
            auto* p = values[k].data_ptr<float>();
            auto* g = gradients[k].data_ptr<float>();
            auto* m = borrow(means[k]).data_ptr<float>();
            auto* v = borrow(squares[k]).data_ptr<float>();
            at::parallel_for(0, values[k].numel(), 32768, [&](int64_t begin, int64_t end) {
                adam_piece(p + begin, g + begin, m + begin, v + begin, end - begin, static_cast<float>(keep), static_cast<float>(decay),
                           static_cast<float>(s.beta1), static_cast<float>(s.beta2), static_cast<float>(s.learning_rate / correction1),
                           static_cast<float>(1 / std::sqrt(correction2)), static_cast<float>(s.epsilon));
            });
            values[k].unsafeGetTensorImpl()->bump_version();
        }
    });
    return failed != 0 ? -1 : other;
}
