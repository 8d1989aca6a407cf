using Ssl.Estimators;

namespace Ssl.MLNet;

public sealed partial class SelfSupervisedCatalog
{
    /// <summary>
    /// Joins the processes that an MPI launcher started from this program (<c>mpirun -n 4 dotnet App.dll</c>): from here on every pretraining
    /// <c>Fit</c> is one training by all of them. Started without a launcher the program is as it was: a group of one.
    /// </summary>
    /// <param name="options">Null for the defaults.</param>
    /// <returns>The group, which says which process this is; one a program, to be disposed of at its end.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An option is outside its range.</exception>
    /// <exception cref="InvalidOperationException">The program has joined already; the MPI library is missing or belongs to another
    /// launcher.</exception>
    public ProcessGroup UseProcesses(ProcessGroupOptions? options = null) => ProcessGroup.Start(options);
}
