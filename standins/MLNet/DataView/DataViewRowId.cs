namespace Microsoft.ML.Data;

/// <summary>A 128 bit row identity, stable however a view is read.</summary>
public readonly struct DataViewRowId : IComparable<DataViewRowId>, IEquatable<DataViewRowId>
{
    public readonly ulong Low;
    public readonly ulong High;

    public DataViewRowId(ulong low, ulong high)
    {
        Low = low;
        High = high;
    }

    public bool Equals(DataViewRowId other) => Low == other.Low && High == other.High;
    public override bool Equals(object obj) => obj is DataViewRowId other && Equals(other);

    public int CompareTo(DataViewRowId other)
    {
        var high = High.CompareTo(other.High);
        return high != 0 ? high : Low.CompareTo(other.Low);
    }


    public override int GetHashCode() => HashCode.Combine(Low, High);
    public override string ToString() => $"{High:x16}{Low:x16}";

    /// <summary>Another id that is derived from this one.</summary>
    public DataViewRowId Fork() => Mix(new DataViewRowId(Low, High ^ 0x9E3779B97F4A7C15UL), Low);

    /// <summary>A second derived id, different from <see cref="Fork"/>.</summary>
    public DataViewRowId Next() => Mix(new DataViewRowId(Low ^ 0xC2B2AE3D27D4EB4FUL, High), High);

    /// <summary>An id of two: depends on the order.</summary>
    public DataViewRowId Combine(DataViewRowId other) =>
        Mix(new DataViewRowId(Low ^ Finish(other.Low + 0x165667B19E3779F9UL), High + Finish(other.High)), other.Low * 31 + other.High);

    private static DataViewRowId Mix(DataViewRowId id, ulong salt)
    {
        var low = Finish(id.Low + salt);
        var high = Finish(id.High ^ low);
        return new DataViewRowId(low + high, high ^ (low << 1));
    }

    // The 64 bit finaliser of MurmurHash3.
    private static ulong Finish(ulong value)
    {
        value ^= value >> 33;
        value *= 0xFF51AFD7ED558CCDUL;
        value ^= value >> 33;
        value *= 0xC4CEB9FE1A85EC53UL;
        return value ^ (value >> 33);
    }
}
