using Microsoft.Data.Sqlite;

namespace Ssl.Extensions.VectorData.Tests;

/// <summary>A folder for SQLite files that goes with the test; the test is skipped where sqlite-vec is not there.</summary>
internal sealed class StoreFolder : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssl-store-").FullName;

    public string File
    {
        get
        {
            if (SqliteVecLibrary.Find() is null)
                Assert.Inconclusive(SqliteVecLibrary.Missing);
            return Path.Combine(_folder, "store.db");
        }
    }

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }
}
