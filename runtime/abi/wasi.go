package abi

// WASIModule is the import module of the functions in [WASI].
const WASIModule = "wasi_snapshot_preview1"

// Answers of WASI functions (errno of preview 1).
const (
	ErrnoSuccess    = 0
	ErrnoBadf       = 8
	ErrnoNosys      = 52
	ErrnoNotsup     = 58
	ErrnoNotcapable = 76
	// Answered marks a function that does something; runtime/vm knows what.
	Answered = -1
)

// A WASIFunction is one function of WASI preview 1 as stock compilers import it.
type WASIFunction struct {
	Name    string
	Params  []string
	Results []string // one I32, the errno; none for proc_exit
	// Errno is what is always answered with nothing else touched, or Answered.
	Errno int32
	Doc   string
}

// WASI returns every function of WASI preview 1, so that a module links
// whatever its standard library drags in. There is no file, no network, no
// argument and no environment: those functions answer an errno. The caller
// owns the slice.
func WASI() []WASIFunction {
	const (
		none = "there are no files"
		nets = "there is no network"
	)
	f := func(name string, errno int32, doc string, params ...string) WASIFunction {
		return WASIFunction{Name: name, Params: params, Results: []string{I32}, Errno: errno, Doc: doc}
	}
	return []WASIFunction{
		f("args_get", Answered, "no arguments", I32, I32),
		f("args_sizes_get", Answered, "no arguments: writes two zeros", I32, I32),
		f("environ_get", Answered, "no environment", I32, I32),
		f("environ_sizes_get", Answered, "no environment: writes two zeros", I32, I32),
		f("clock_res_get", Answered, "writes one second in nanoseconds: block time has no finer resolution", I32, I32),
		f("clock_time_get", Answered, "writes the block time in nanoseconds; the monotonic clock moves on by what the contract slept", I32, I64, I32),
		f("random_get", Answered, "fills with a stream seeded by the transaction (in _initialize by the code hash): the same on every node, public, never a secret", I32, I32),
		f("sched_yield", ErrnoSuccess, "nothing else runs"),
		f("poll_oneoff", Answered, "every subscription is answered at once: sleeping takes no time, and files answer badf", I32, I32, I32, I32),
		{Name: "proc_exit", Params: []string{I32}, Errno: Answered, Doc: "ends the call as trapped, whatever the exit code"},
		f("proc_raise", ErrnoNosys, "there are no signals", I32),

		f("fd_write", Answered, "1 and 2 go to the debug log, others answer badf", I32, I32, I32, I32),
		f("fd_read", Answered, "0 is at its end, others answer badf", I32, I32, I32, I32),
		f("fd_fdstat_get", Answered, "0, 1 and 2 are character devices, others answer badf", I32, I32),
		f("fd_fdstat_set_flags", Answered, "0, 1 and 2 take flags and ignore them, others answer badf", I32, I32),
		f("fd_prestat_get", ErrnoBadf, "no folder is open", I32, I32),
		f("fd_prestat_dir_name", ErrnoBadf, "no folder is open", I32, I32, I32),
		f("fd_advise", ErrnoBadf, none, I32, I64, I64, I32),
		f("fd_allocate", ErrnoBadf, none, I32, I64, I64),
		f("fd_close", ErrnoBadf, none, I32),
		f("fd_datasync", ErrnoBadf, none, I32),
		f("fd_fdstat_set_rights", ErrnoBadf, none, I32, I64, I64),
		f("fd_filestat_get", ErrnoBadf, none, I32, I32),
		f("fd_filestat_set_size", ErrnoBadf, none, I32, I64),
		f("fd_filestat_set_times", ErrnoBadf, none, I32, I64, I64, I32),
		f("fd_pread", ErrnoBadf, none, I32, I32, I32, I64, I32),
		f("fd_pwrite", ErrnoBadf, none, I32, I32, I32, I64, I32),
		f("fd_readdir", ErrnoBadf, none, I32, I32, I32, I64, I32),
		f("fd_renumber", ErrnoBadf, none, I32, I32),
		f("fd_seek", ErrnoBadf, none, I32, I64, I32, I32),
		f("fd_sync", ErrnoBadf, none, I32),
		f("fd_tell", ErrnoBadf, none, I32, I32),
		f("path_create_directory", ErrnoNotcapable, none, I32, I32, I32),
		f("path_filestat_get", ErrnoNotcapable, none, I32, I32, I32, I32, I32),
		f("path_filestat_set_times", ErrnoNotcapable, none, I32, I32, I32, I32, I64, I64, I32),
		f("path_link", ErrnoNotcapable, none, I32, I32, I32, I32, I32, I32, I32),
		f("path_open", ErrnoNotcapable, none, I32, I32, I32, I32, I32, I64, I64, I32, I32),
		f("path_readlink", ErrnoNotcapable, none, I32, I32, I32, I32, I32, I32),
		f("path_remove_directory", ErrnoNotcapable, none, I32, I32, I32),
		f("path_rename", ErrnoNotcapable, none, I32, I32, I32, I32, I32, I32),
		f("path_symlink", ErrnoNotcapable, none, I32, I32, I32, I32, I32),
		f("path_unlink_file", ErrnoNotcapable, none, I32, I32, I32),
		f("sock_accept", ErrnoBadf, nets, I32, I32, I32),
		f("sock_recv", ErrnoBadf, nets, I32, I32, I32, I32, I32, I32),
		f("sock_send", ErrnoBadf, nets, I32, I32, I32, I32, I32),
		f("sock_shutdown", ErrnoBadf, nets, I32, I32),
	}
}
