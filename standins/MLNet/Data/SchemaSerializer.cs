using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Schemas in model files: names, types, and annotations of text, boolean and numeric types (vectors included).</summary>
internal static class SchemaSerializer
{
    private const byte Vector = 1;
    private const byte Key = 2;
    private const byte Primitive = 3;

    private static readonly PrimitiveDataViewType[] _primitives =
    [
        NumberDataViewType.SByte, NumberDataViewType.Byte, NumberDataViewType.Int16, NumberDataViewType.UInt16, NumberDataViewType.Int32,
        NumberDataViewType.UInt32, NumberDataViewType.Int64, NumberDataViewType.UInt64,
        NumberDataViewType.Single, NumberDataViewType.Double,
        TextDataViewType.Instance, BooleanDataViewType.Instance, DateTimeDataViewType.Instance, DateTimeOffsetDataViewType.Instance,
        TimeSpanDataViewType.Instance, RowIdDataViewType.Instance,
    ];

    public static void Write(BinaryWriter writer, DataViewSchema schema)
    {
        // Types without a known encoding (images) are left out, like hidden columns.
        var columns = schema.Where(column => !column.IsHidden && CanWrite(column.Type)).ToArray();
        writer.Write(columns.Length);
        foreach (var column in columns)
        {
            writer.Write(column.Name);
            WriteType(writer, column.Type);
            var annotations = column.Annotations.Schema.Where(annotation => ValueSerializer.For(annotation.Type) != null).ToArray();
            writer.Write(annotations.Length);
            foreach (var annotation in annotations)
            {
                writer.Write(annotation.Name);
                WriteType(writer, annotation.Type);
                ValueSerializer.For(annotation.Type).WriteFrom(writer, column.Annotations.GetGetter(annotation.Index));
            }
        }
    }

    public static DataViewSchema Read(BinaryReader reader)
    {
        var builder = new DataViewSchema.Builder();
        for (var columns = reader.ReadInt32(); columns > 0; columns--)
        {
            var name = reader.ReadString();
            var type = ReadType(reader);
            var annotations = new DataViewSchema.Annotations.Builder();
            for (var count = reader.ReadInt32(); count > 0; count--)
            {
                var kind = reader.ReadString();
                var annotationType = ReadType(reader);
                annotations.Add(kind, annotationType, ValueSerializer.For(annotationType).ReadConstant(reader));
            }

            builder.AddColumn(name, type, annotations.ToAnnotations());
        }

        return builder.ToSchema();
    }

    public static bool CanWrite(DataViewType type) =>
        type is VectorDataViewType or KeyDataViewType || Array.IndexOf(_primitives, type) >= 0;

    public static void WriteType(BinaryWriter writer, DataViewType type)
    {
        switch (type)
        {
            case VectorDataViewType vector:
                writer.Write(Vector);
                writer.Write(vector.Dimensions.Length);
                foreach (var dimension in vector.Dimensions)
                {
                    writer.Write(dimension);
                }

                WriteType(writer, vector.ItemType);
                break;
            case KeyDataViewType key:
                writer.Write(Key);
                writer.Write(key.Count);
                WriteType(writer, NumberDataViewType.FromType(key.RawType));
                break;
            default:
                var index = Array.IndexOf(_primitives, type);
                Contracts.Check(null, index >= 0, $"Type {type} cannot be saved");
                writer.Write(Primitive);
                writer.Write((byte)index);
                break;
        }
    }

    public static DataViewType ReadType(BinaryReader reader)
    {
        switch (reader.ReadByte())
        {
            case Vector:
                var dimensions = new int[reader.ReadInt32()];
                for (var i = 0; i < dimensions.Length; i++)
                {
                    dimensions[i] = reader.ReadInt32();
                }

                return new VectorDataViewType((PrimitiveDataViewType)ReadType(reader), dimensions);
            case Key:
                var count = reader.ReadUInt64();
                return new KeyDataViewType(ReadType(reader).RawType, count);
            case Primitive:
                return _primitives[reader.ReadByte()];
            default:
                throw Contracts.ExceptDecode(null, "Corrupt model file");
        }
    }
}

/// <summary>Writes and reads values of one column type.</summary>
internal abstract class ValueSerializer
{
    private static readonly Dictionary<Type, ValueSerializer> _known = new()
    {
        [typeof(sbyte)] = new Scalar<sbyte>((writer, value) => writer.Write(value), reader => reader.ReadSByte()),
        [typeof(byte)] = new Scalar<byte>((writer, value) => writer.Write(value), reader => reader.ReadByte()),
        [typeof(short)] = new Scalar<short>((writer, value) => writer.Write(value), reader => reader.ReadInt16()),
        [typeof(ushort)] = new Scalar<ushort>((writer, value) => writer.Write(value), reader => reader.ReadUInt16()),
        [typeof(int)] = new Scalar<int>((writer, value) => writer.Write(value), reader => reader.ReadInt32()),
        [typeof(uint)] = new Scalar<uint>((writer, value) => writer.Write(value), reader => reader.ReadUInt32()),
        [typeof(long)] = new Scalar<long>((writer, value) => writer.Write(value), reader => reader.ReadInt64()),
        [typeof(ulong)] = new Scalar<ulong>((writer, value) => writer.Write(value), reader => reader.ReadUInt64()),
        [typeof(float)] = new Scalar<float>((writer, value) => writer.Write(value), reader => reader.ReadSingle()),
        [typeof(double)] = new Scalar<double>((writer, value) => writer.Write(value), reader => reader.ReadDouble()),
        [typeof(bool)] = new Scalar<bool>((writer, value) => writer.Write(value), reader => reader.ReadBoolean()),
        [typeof(ReadOnlyMemory<char>)] = new Scalar<ReadOnlyMemory<char>>(
            (writer, value) => writer.Write(value.ToString()),
            reader => reader.ReadString().AsMemory()),
    };

    /// <summary>The serializer of a type, or null.</summary>
    public static ValueSerializer For(DataViewType type)
    {
        var item = (type as VectorDataViewType)?.ItemType ?? type;
        return !_known.TryGetValue(item.RawType, out var scalar) ? null : type is VectorDataViewType ? scalar.ToVector() : scalar;
    }

    public static ValueSerializer<T> For<T>() => (ValueSerializer<T>)_known[typeof(T)];

    public abstract void WriteFrom(BinaryWriter writer, Delegate getter);
    public abstract Delegate ReadConstant(BinaryReader reader);
    public abstract ValueSerializer ToVector();

    private sealed class Scalar<T>(Action<BinaryWriter, T> write, Func<BinaryReader, T> read) : ValueSerializer<T>
    {
        public override void Write(BinaryWriter writer, T value) => write(writer, value);
        public override T Read(BinaryReader reader) => read(reader);
        public override ValueSerializer ToVector() => new VectorOf<T>(this);
    }

    private sealed class VectorOf<T>(ValueSerializer<T> item) : ValueSerializer<VBuffer<T>>
    {
        public override void Write(BinaryWriter writer, VBuffer<T> value)
        {
            writer.Write(value.Length);
            foreach (var entry in value.DenseValues())
            {
                item.Write(writer, entry);
            }
        }

        public override VBuffer<T> Read(BinaryReader reader)
        {
            var values = new T[reader.ReadInt32()];
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = item.Read(reader);
            }

            return new VBuffer<T>(values.Length, values);
        }

        public override ValueSerializer ToVector() => throw new NotSupportedException("Vectors of vectors do not exist");
    }
}

internal abstract class ValueSerializer<T> : ValueSerializer
{
    public abstract void Write(BinaryWriter writer, T value);
    public abstract T Read(BinaryReader reader);

    public override void WriteFrom(BinaryWriter writer, Delegate getter)
    {
        T value = default;
        ((ValueGetter<T>)getter)(ref value);
        Write(writer, value);
    }

    public override Delegate ReadConstant(BinaryReader reader) => Getters.Constant(Read(reader));
}
