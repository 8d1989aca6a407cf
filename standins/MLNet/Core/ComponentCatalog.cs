using System.Reflection;

namespace Microsoft.ML
{
    /// <summary>Marks a class that is found by a contract name when a model is loaded.</summary>
    [AttributeUsage(AttributeTargets.Class)]
    public abstract class ExtensionBaseAttribute : Attribute
    {
        private protected ExtensionBaseAttribute(string contractName) => ContractName = contractName;

        public string ContractName { get; }
    }
}

namespace Microsoft.ML.Runtime
{
    /// <summary>The assemblies in which a context looks for what a model names.</summary>
    public sealed class ComponentCatalog
    {
        private readonly Lock _lock = new();
        private readonly HashSet<string> _assemblies = [];
        private readonly Dictionary<(Type Attribute, string Contract), (ExtensionBaseAttribute Attribute, Type Type)> _extensions = [];

        internal ComponentCatalog()
        {
        }

        public void RegisterAssembly(Assembly assembly, bool throwOnError = true)
        {
            Contracts.CheckValue(null, assembly, nameof(assembly));
            lock (_lock)
            {
                if (!_assemblies.Add(assembly.FullName))
                {
                    return;
                }

                foreach (var type in assembly.GetTypes().Where(type => type.IsClass))
                {
                    foreach (var attribute in type.GetCustomAttributes<ExtensionBaseAttribute>(inherit: false))
                    {
                        Add(attribute, type, throwOnError);
                    }
                }
            }
        }

        internal object GetExtension(IHostEnvironment env, Type attributeType, string contractName)
        {
            lock (_lock)
            {
                if (_extensions.TryGetValue((attributeType, contractName), out var found))
                {
                    return Activator.CreateInstance(found.Type);
                }
            }

            throw env.Except(
                $"Extension type '{contractName}' not found. Did you call ComponentCatalog.RegisterAssembly for its assembly?");
        }

        private void Add(ExtensionBaseAttribute attribute, Type type, bool throwOnError)
        {
            var key = (attribute.GetType(), attribute.ContractName);
            if (_extensions.TryGetValue(key, out var present) && present.Type != type)
            {
                if (throwOnError)
                {
                    throw Contracts.Except(
                        null,
                        $"ComponentCatalog already has an extension class with '{attribute.ContractName}' contract name.");
                }

                return;
            }

            if (type.GetConstructor(Type.EmptyTypes) == null)
            {
                if (throwOnError)
                {
                    throw Contracts.Except(null, $"Type {type.Name} doesn't have a parameterless constructor");
                }

                return;
            }

            _extensions[key] = (attribute, type);
        }
    }
}
