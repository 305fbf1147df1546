package vm

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
)

// Refused is the error of a module that may not be deployed.
type Refused struct {
	// Reason is the rule, the same on every node and in every release that
	// speaks the same protocol.
	Reason string
	// Detail is what else is known, perhaps by wazero: for people, or "".
	Detail string
}

func (r *Refused) Error() string {
	if r.Detail == "" {
		return "contract refused: " + r.Reason
	}
	return "contract refused: " + r.Reason + ": " + r.Detail
}

func refused(format string, args ...any) *Refused {
	return &Refused{Reason: fmt.Sprintf(format, args...)}
}

// Vet decides whether a module may be deployed: whether it is valid Wasm of the
// features allowed and within the bounds, imports nothing that isn't in the tables
// of runtime/abi, exports what is asked of it, and can be instantiated and
// initialized. The error is a [*Refused] or says that ctx ended.
func (e *Engine) Vet(ctx context.Context, wasm []byte) error {
	return e.try(ctx, wasm, func(*instance) error { return nil })
}

// Describe returns the encoded spec of a contract, by asking the contract: it runs the
// export ward_spec, to which only the functions ret, log and fail answer. The
// error is as Vet's.
func (e *Engine) Describe(ctx context.Context, wasm []byte) ([]byte, error) {
	var spec []byte
	err := e.try(ctx, wasm, func(i *instance) error {
		if i.wasm.ExportedFunction(abi.ExportSpec) == nil {
			return refused("no export %s: the contract can't describe itself", abi.ExportSpec)
		}
		if err := i.run(abi.ExportSpec, describing); err != nil {
			return i.refusal("it can't describe itself", err)
		}
		spec = i.call.host.Result()
		if _, err := abi.DecodeSpec(spec); err != nil {
			return &Refused{Reason: "what " + abi.ExportSpec + " returned is not a spec", Detail: err.Error()}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return spec, nil
}

// try instantiates a module that no state knows yet and, once it is
// initialized, has it looked at.
func (e *Engine) try(ctx context.Context, wasm []byte, look func(*instance) error) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	m := e.modules(ctx)
	// Before hashing, or anything else that takes time in proportion.
	if len(wasm) > MaxCode {
		return refused("the module is %d bytes, limit %d", len(wasm), MaxCode)
	}
	hash := sha256.Sum256(wasm)
	mod, err := m.acquire(hash, func() ([]byte, error) { return wasm, nil })
	if err != nil {
		return err
	}
	defer m.release(mod)
	i := newInstance(ctx, m, mod, &host.Call{Gas: gas.NewMeter(gas.MaxLimit)})
	defer i.close()
	if err := i.start(); err != nil {
		return i.refusal("it can't be started", err)
	}
	return look(i)
}

// refusal says why a module is refused that ended as err says.
func (i *instance) refusal(what string, err error) error {
	var stop *host.Stop
	if !errors.As(err, &stop) {
		return err
	}
	r := refused("%s: %s", what, stop.Reason)
	if stop.Code == receipt.Failed {
		r = refused("%s: it failed with code %d: %s", what, stop.ContractCode, stop.Reason)
	}
	if lines := i.call.host.Log(); len(lines) > 0 {
		r.Detail = lines[len(lines)-1]
	}
	return r
}

// checkLinks checks what a compiled module imports and exports.
func checkLinks(compiled wazero.CompiledModule) error {
	for _, f := range compiled.ImportedFunctions() {
		module, name, _ := f.Import()
		want, ok := signature(module, name)
		if !ok {
			return refused("import %s.%s: there is no such function in version %d of the interface", text(module), text(name), abi.Version)
		}
		if !slices.Equal(f.ParamTypes(), want.params) || !slices.Equal(f.ResultTypes(), want.results) {
			return refused("import %s.%s: its type is %s, not %s", module, name, want, functionType{f.ParamTypes(), f.ResultTypes()})
		}
	}
	exports := compiled.ExportedFunctions()
	for _, want := range abi.Exports() {
		f, ok := exports[want.Name]
		if !ok {
			if want.Required {
				return refused("no export %s", want.Name)
			}
			continue
		}
		if len(f.ParamTypes())+len(f.ResultTypes()) > 0 {
			return refused("export %s: its type is () -> (), not %s", want.Name, functionType{f.ParamTypes(), f.ResultTypes()})
		}
	}
	if _, ok := compiled.ExportedMemories()[abi.ExportMemory]; !ok {
		return refused("no export %s", abi.ExportMemory)
	}
	return nil
}

// text quotes a name from a module, in ASCII whatever it holds, and cut.
func text(name string) string {
	if len(name) > abi.MaxMethodName {
		return fmt.Sprintf("%+q...", name[:abi.MaxMethodName])
	}
	return fmt.Sprintf("%+q", name)
}

// functionType is the type of a function as it reads in an error.
type functionType struct{ params, results []api.ValueType }

func (t functionType) String() string { return typeList(t.params) + " -> " + typeList(t.results) }

func typeList(types []api.ValueType) string {
	s := "("
	for i, t := range types {
		if i == 16 { // a hostile type has any number of them
			s += ", ..."
			break
		}
		if i > 0 {
			s += ", "
		}
		s += api.ValueTypeName(t)
	}
	return s + ")"
}
