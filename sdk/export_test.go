package sdk

// Inside runs something with a chain that answers, by the name of the function in runtime/abi, and then forgets what was declared, so that the
// next example may use the same names.
func Inside(chain func(function string, in ...[]byte) (out []byte, status int64), run func()) {
	defer func() {
		inside = nil
		declared.name, declared.doc, declared.methods, declared.events, declared.errors, declared.collections = "", "", nil, nil, nil, nil
		declared.complete = false
	}()
	inside = chain
	run()
}

// Dispatch runs the method that the chain says was called, as ward_call does.
func Dispatch() { dispatch() }

// Spec is what ward_spec returns.
func Spec() []byte { return spec() }
