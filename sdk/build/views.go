package build

import (
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strconv"
	"strings"
)

// The methods of what holds rows or events that a view can't call, by what makes it. sure are those that write whatever lies there: a key that is in a set
// already is not added to it, and an index of a map without rows is filled with nothing. (A time has Add, too.)
var (
	writing = map[string][]string{
		"NewItem": {"Set", "Delete"}, "NewMap": {"Set", "Delete"}, "NewSet": {"Add", "Delete"}, "NewCounter": {"Add", "Next", "Sub"},
		"NewIndex": {"Fill"}, "Event": {"Emit"},
	}
	sure = map[string][]string{
		"NewItem": {"Set", "Delete"}, "NewMap": {"Set", "Delete"}, "NewSet": {"Delete"}, "NewCounter": {"Add", "Next", "Sub"}, "Event": {"Emit"},
	}
)

// views finds views that write. It knows the contract's own package only, as the compiler does: which name is whose, and what the methods of its types
// are. What is imported is not read.
type views struct {
	*source
	info   *types.Info
	bodies map[*types.Func]*ast.FuncDecl
	stored map[types.Object]string // the package's variables that hold rows or events -> what made them
	caught bool                    // the package recovers from panics: what comes before a statement may be the end of its function after all
}

// check says what compiles, and would run until it is called: views that write.
func (s *source) check() error {
	v := &views{source: s, bodies: map[*types.Func]*ast.FuncDecl{}, stored: map[types.Object]string{}}
	v.info = &types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{}}
	// It has compiled already: mistakes are of what is imported, which is empty here.
	config := types.Config{Importer: unread{}, Error: func(error) {}}
	config.Check("main", s.set, s.files, v.info)
	recovers := types.Universe.Lookup("recover")
	for _, object := range v.info.Uses {
		v.caught = v.caught || object == recovers
	}
	for _, f := range s.files {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if fn, ok := v.info.Defs[d.Name].(*types.Func); ok && d.Body != nil {
					v.bodies[fn] = d
				}
			case *ast.GenDecl:
				v.hold(d)
			}
		}
	}
	methods := map[types.Object]bool{} // functions that are a method's, too
	s.declarations(func(call *ast.CallExpr, function, _ string) {
		if function == "Method" && len(call.Args) > 1 {
			if fn := v.function(call.Args[1]); fn != nil {
				methods[fn] = true
			}
		}
	})
	uses := map[types.Object]int{}
	for _, object := range v.info.Uses {
		uses[object]++
	}
	e := &SourceError{}
	s.declarations(func(call *ast.CallExpr, function, name string) {
		if function != "View" || len(call.Args) < 2 {
			return
		}
		fn := v.function(call.Args[1])
		if fn != nil && methods[fn] {
			return
		}
		var body *ast.BlockStmt
		if lit, ok := call.Args[1].(*ast.FuncLit); ok {
			body = lit.Body
		} else if d := v.bodies[fn]; d != nil {
			body = d.Body
		} else {
			return
		}
		// Who else calls it may be a method, for which it writes.
		shared := fn != nil && uses[fn] > 1
		v.writes(body, shared, func(pos token.Pos, what string) {
			e.Mistakes = append(e.Mistakes, s.mistake(pos, "the view %s writes: %s would end it as not permitted; a method that writes is declared with sdk.Method", name, what).Mistakes...)
		})
	})
	if len(e.Mistakes) > 0 {
		return e
	}
	return nil
}

// unread imports packages without what is in them.
type unread struct{}

func (unread) Import(name string) (*types.Package, error) {
	if name == "unsafe" {
		return types.Unsafe, nil
	}
	p := types.NewPackage(name, path.Base(name))
	p.MarkComplete()
	return p, nil
}

// hold notes the variables that a declaration of the package makes with the SDK, as in sdk.NewItem[T]("name").
func (v *views) hold(d *ast.GenDecl) {
	if d.Tok != token.VAR {
		return
	}
	for _, spec := range d.Specs {
		s := spec.(*ast.ValueSpec)
		if s.Type != nil || len(s.Values) != len(s.Names) {
			continue // an interface may be given something else later
		}
		for i, value := range s.Values {
			if object := v.info.Defs[s.Names[i]]; object != nil {
				if maker := v.maker(value); maker != "" {
					v.stored[object] = maker
				}
			}
		}
	}
}

// maker is the function of the SDK that an expression calls to hold rows or events, or "".
func (v *views) maker(e ast.Expr) string {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return ""
	}
	sel, ok := uninstantiated(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	x, ok := sel.X.(*ast.Ident)
	if !ok {
		return ""
	}
	if p, ok := v.info.Uses[x].(*types.PkgName); !ok || path.Base(p.Imported().Path()) != "sdk" || writing[sel.Sel.Name] == nil {
		return ""
	}
	return sel.Sel.Name
}

// uninstantiated is a function without the types that it is instantiated with.
func uninstantiated(f ast.Expr) ast.Expr {
	switch x := ast.Unparen(f).(type) {
	case *ast.IndexExpr:
		return ast.Unparen(x.X)
	case *ast.IndexListExpr:
		return ast.Unparen(x.X)
	default:
		return x
	}
}

// function is the function or method of the package that an expression is, nil if it is something else, such as a variable or an interface's method.
func (v *views) function(e ast.Expr) *types.Func {
	var object types.Object
	switch x := uninstantiated(e).(type) {
	case *ast.Ident:
		object = v.info.Uses[x]
	case *ast.SelectorExpr:
		if s := v.info.Selections[x]; s != nil {
			object = s.Obj()
		}
	}
	fn, ok := object.(*types.Func)
	if !ok {
		return nil
	}
	return fn.Origin()
}

// write is what a call writes, as in "last.Set", if it is such a call, and whether it writes whatever lies there.
func (v *views) write(call *ast.CallExpr) (what string, certain bool) {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	x, ok := ast.Unparen(sel.X).(*ast.Ident)
	if !ok {
		return "", false
	}
	maker := v.stored[v.info.Uses[x]]
	if !slices.Contains(writing[maker], sel.Sel.Name) {
		return "", false
	}
	return x.Name + "." + sel.Sel.Name, slices.Contains(sure[maker], sel.Sel.Name)
}

// writes visits what writes in the body of a view: what stands in itself, wherever, unless the view is shared with other functions, and those calls that
// certainly happen and certainly lead to a write. Functions that write under conditions may know when they are asked by a view; if they don't, the host
// refuses.
func (v *views) writes(body *ast.BlockStmt, shared bool, visit func(token.Pos, string)) {
	if !shared {
		ast.Inspect(body, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if what, _ := v.write(call); what != "" {
					visit(call.Pos(), what)
				}
			}
			return true
		})
	}
	for _, call := range v.happens(body) {
		if what, certain := v.write(call); what != "" {
			if shared && certain {
				visit(call.Pos(), what)
			}
			continue
		}
		if chain, at := v.leads(call, map[*types.Func]bool{}); at != nil {
			what, _ := v.write(at)
			p := v.set.Position(at.Pos())
			visit(call.Pos(), "through "+strings.Join(chain, " -> ")+": "+what+" at "+p.Filename+":"+strconv.Itoa(p.Line))
		}
	}
}

// leads is the functions through which a call comes to a write, and that write, nil if it can't be said that it does. Those that are seen are not looked at
// again.
func (v *views) leads(call *ast.CallExpr, seen map[*types.Func]bool) (chain []string, at *ast.CallExpr) {
	if _, certain := v.write(call); certain {
		return nil, call
	}
	fn := v.function(call.Fun)
	d := v.bodies[fn]
	if d == nil || seen[fn] {
		return nil, nil
	}
	seen[fn] = true
	for _, inner := range v.happens(d.Body) {
		if chain, at := v.leads(inner, seen); at != nil {
			return append([]string{fn.Name()}, chain...), at
		}
	}
	return nil, nil
}

// happens is the calls in the body of a function that are made whenever it is called, but for a panic: not under a condition, in a loop, behind a
// return, or in a function that is only made there.
func (v *views) happens(body *ast.BlockStmt) []*ast.CallExpr {
	h := &happening{over: v.caught}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.LabeledStmt:
			h.over = true
		case *ast.BranchStmt:
			h.over = h.over || n.Tok == token.GOTO
		}
		return true
	})
	h.block(body.List)
	return h.calls
}

// happening collects calls that happen, in the order of the source, until that can't be said any more.
type happening struct {
	calls []*ast.CallExpr
	over  bool // there may have been a return
}

func (h *happening) block(list []ast.Stmt) {
	for _, s := range list {
		if h.over {
			return
		}
		h.statement(s)
	}
}

func (h *happening) statement(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.BlockStmt:
		h.block(s.List)
		return
	case *ast.ReturnStmt:
		for _, r := range s.Results {
			h.expression(r)
		}
		h.over = true
	case *ast.ExprStmt:
		h.expression(s.X)
	case *ast.SendStmt:
		h.expression(s.Chan)
		h.expression(s.Value)
	case *ast.IncDecStmt:
		h.expression(s.X)
	case *ast.AssignStmt:
		for _, e := range slices.Concat(s.Lhs, s.Rhs) {
			h.expression(e)
		}
	case *ast.DeclStmt:
		if d, ok := s.Decl.(*ast.GenDecl); ok && d.Tok == token.VAR {
			for _, spec := range d.Specs {
				for _, e := range spec.(*ast.ValueSpec).Values {
					h.expression(e)
				}
			}
		}
	case *ast.DeferStmt:
		h.expression(s.Call)
	case *ast.GoStmt: // nobody waits for it
		h.expression(s.Call.Fun)
		for _, e := range s.Call.Args {
			h.expression(e)
		}
	case *ast.IfStmt:
		h.first(s.Init)
		h.expression(s.Cond)
	case *ast.ForStmt:
		h.first(s.Init)
		h.expression(s.Cond)
	case *ast.RangeStmt:
		h.expression(s.X)
	case *ast.SwitchStmt:
		h.first(s.Init)
		h.expression(s.Tag)
	case *ast.TypeSwitchStmt:
		h.first(s.Init)
		h.statement(s.Assign)
	}
	ast.Inspect(s, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			h.over = true
		}
		return true
	})
}

// first is what runs before a condition is looked at, if there is something.
func (h *happening) first(s ast.Stmt) {
	if s != nil {
		h.statement(s)
	}
}

// expression collects the calls that are made to compute e: those in its arguments before itself.
func (h *happening) expression(e ast.Expr) {
	if e == nil {
		return
	}
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.BinaryExpr:
			if n.Op == token.LAND || n.Op == token.LOR {
				h.expression(n.X)
				return false
			}
		case *ast.CallExpr:
			h.expression(n.Fun)
			for _, a := range n.Args {
				h.expression(a)
			}
			h.calls = append(h.calls, n)
			return false
		}
		return true
	})
}
