namespace Ssl.Estimators.Encoders;

/// <summary>What an encoder of time series must know of them.</summary>
/// <param name="Channels">Channels of a series. At least 1.</param>
/// <param name="Length">Timestamps of every series; <see langword="null"/> where lengths differ.</param>
/// <param name="PerTimestamp">Whether an embedding holds one vector for each step instead of one for the series; lengths must be the
/// same.</param>
public sealed record SeriesLayout(int Channels, int? Length, bool PerTimestamp = false);
