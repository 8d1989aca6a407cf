using System.Globalization;

namespace Ssl.Estimators.Distributed;

/// <summary>What a launcher says of the processes it started: it stands in environment variables.</summary>
/// <param name="Rank">Number of this process, from 0.</param>
/// <param name="Count">Processes.</param>
/// <param name="LocalRank">Number of this process among those of its machine, from 0.</param>
/// <param name="LocalCount">Processes of this machine.</param>
/// <param name="IsOpenMpi">Whether Open MPI's launcher started them.</param>
internal sealed record Launch(int Rank, int Count, int LocalRank, int LocalCount, bool IsOpenMpi)
{
    /// <summary>One process, started by hand.</summary>
    public static Launch Alone { get; } = new(0, 1, 0, 1, false);

    /// <summary>The launcher, for sentences.</summary>
    public string Launcher => IsOpenMpi ? "Open MPI's mpirun" : "An MPI launcher (mpiexec, srun)";

    /// <summary>Reads the variables of Open MPI, of the process managers of MPICH, Intel MPI and MS-MPI, and of Slurm.</summary>
    /// <param name="variable">Gives the value of a variable, or null.</param>
    /// <exception cref="InvalidOperationException">A variable is no number, or the numbers do not fit each other.</exception>
    public static Launch Find(Func<string, string?> variable)
    {
        if (variable("OMPI_COMM_WORLD_SIZE") is not null)
            return Read("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE", true);
        if (variable("PMI_SIZE") is not null)
            return Read("PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS", false);
        // Slurm sets its variables for programs of one process, too, but the name of a step only for those started by srun.
        if (variable("SLURM_STEP_NUM_TASKS") is not null && variable("SLURM_STEP_NODELIST") is not null)
            return Read("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID", "SLURM_STEP_TASKS_PER_NODE", variable("PMIX_RANK") is not null);
        return Alone;

        Launch Read(string rankName, string countName, string localRankName, string localCountName, bool isOpenMpi)
        {
            var (rank, count) = (Number(rankName), Number(countName));
            if (rank < 0 || rank >= count)
                throw new InvalidOperationException($"{rankName} is {rank}, but must be from 0 to less than {countName}, {count}.");
            return new Launch(rank, count, variable(localRankName) is null ? 0 : Number(localRankName),
                variable(localCountName) is null ? 1 : Number(localCountName), isOpenMpi);
        }

        // "2(x3)" of Slurm: two processes on each of three machines.
        int Number(string name)
            => int.TryParse((variable(name) ?? "").Split('(', ',')[0], NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value
                : throw new InvalidOperationException($"The environment variable {name} must be a whole number, got '{variable(name)}'.");
    }
}
