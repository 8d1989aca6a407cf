namespace Ssl.FreshProcess;

/// <summary>
/// What a test has done in a process of its own. A task prints its findings; the exit code is 0 where it came to its end.
/// </summary>
internal static class Tasks
{
    public static int Run(string task, string[] arguments)
    {
        switch (task)
        {
            case "torch-first":
                LibraryTasks.TorchFirst();
                break;
            case "torch-prepared":
                LibraryTasks.TorchPrepared();
                break;
            case "front-door":
                LibraryTasks.FrontDoor();
                break;
            case "library":
                LibraryTasks.Library();
                break;
            case "log":
                LibraryTasks.Log();
                break;
            case "load-context":
                LibraryTasks.OtherLoadContext();
                break;
            case "damaged-streams":
                DamageTasks.RandomStates();
                break;
            case "resnet":
                MemoryTasks.TinyResNetOnOneThread();
                break;
            case "dropped":
                MemoryTasks.DroppedEncoders(int.Parse(arguments[0]));
                break;
            case "steps":
                MemoryTasks.Steps(arguments[0], int.Parse(arguments[1]));
                break;
            case "index-changes":
                IndexTasks.Change(arguments[0], int.Parse(arguments[1]));
                break;
            case "ranks":
                RankTasks.Train(arguments[0], arguments[1], int.Parse(arguments[2]), arguments.Length > 3 ? arguments[3] : null);
                break;
            case "ranks-fit":
                RankFitTasks.Run(arguments[0], arguments[1], int.Parse(arguments[2]));
                break;
            default:
                Console.Error.WriteLine($"There is no task '{task}'.");
                return 2;
        }
        return 0;
    }
}
