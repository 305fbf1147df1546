package main

import "github.com/wardledger/ward/sdk"

// Bounds of what people write, in bytes. Together they keep a device's record below
// 1,600 bytes, so that a page of them fits in a result.
const (
	maxName   = 48  // of a model or vendor: what fits on a type plate
	maxSerial = 48  // a serial number
	maxReason = 200 // a sentence or two
	// maxLabels, maxLabelKey and maxLabelValue bound what an owner notes of a device:
	// where it hangs and who looks after it, not a document.
	maxLabels     = 8
	maxLabelKey   = 24
	maxLabelValue = 64
	// maxScope and maxScopeMethods are what the chain lets one key have.
	maxScope        = 32
	maxScopeMethods = 64
	// maxScopeText is what the names in a scope are long together, each method with its
	// contract: some 80 of 30 bytes. So a profile fits in its event, and a page of them in a result.
	maxScopeText = 2500
	// maxInitModels is how many profiles a new contract starts with; more are set later.
	maxInitModels = 32
)

// A Model is what the devices of one model get.
type Model struct {
	Model  string      `doc:"name of the model"`
	Vendor string      `wire:",omitempty" doc:"who makes it"`
	Scope  []sdk.Scope `wire:",omitempty" doc:"what the keys of its devices may call; none: nothing"`
	Quota  uint64      `doc:"gas per hour of each device, carved from its owner's"`
}

type initArgs struct {
	Operator *sdk.Address `doc:"who keeps the model profiles; if missing, the contract's admin"`
	Models   []Model      `wire:",omitempty" doc:"the first profiles"`
}

func create(c *sdk.Ctx, a initArgs) error {
	by := c.Sender()
	if a.Operator != nil {
		by = *a.Operator
	}
	if len(a.Models) > maxInitModels {
		return errValue.Because("%d models, limit %d: set the others later", len(a.Models), maxInitModels)
	}
	operator.Set(c, by)
	operatorSet.Emit(c, operatorEvent{by})
	for _, m := range a.Models {
		if models.Has(c, m.Model) {
			return errValue.Because("model %q is there twice", m.Model)
		}
		if err := putModel(c, m); err != nil {
			return err
		}
	}
	return nil
}

type operatorArgs struct {
	Operator sdk.Address `doc:"the new operator"`
}

func setOperator(c *sdk.Ctx, a operatorArgs) (sdk.None, error) {
	if err := byOperator(c); err != nil {
		return sdk.None{}, err
	}
	if a.Operator.IsZero() {
		return sdk.None{}, errValue.Because("operator is the zero address: nobody could ever set a model again")
	}
	operator.Set(c, a.Operator)
	operatorSet.Emit(c, operatorEvent(a))
	return sdk.None{}, nil
}

func operatorView(c *sdk.Ctx, _ sdk.None) (operatorArgs, error) {
	by, _ := operator.Get(c)
	return operatorArgs{by}, nil
}

func setModel(c *sdk.Ctx, m Model) (sdk.None, error) {
	if err := byOperator(c); err != nil {
		return sdk.None{}, err
	}
	return sdk.None{}, putModel(c, m)
}

func putModel(c *sdk.Ctx, m Model) error {
	if err := checkName("model", m.Model); err != nil {
		return err
	}
	if m.Vendor != "" {
		if err := checkText("vendor", m.Vendor, maxName); err != nil {
			return err
		}
	}
	if len(m.Scope) > maxScope {
		return errValue.Because("scope has %d contracts, limit %d", len(m.Scope), maxScope)
	}
	for i, s := range m.Scope {
		if !sdk.IsContractName(s.Contract) {
			return errValue.Because("scope: %q is not a contract's name", s.Contract)
		}
		for _, other := range m.Scope[:i] {
			if other.Contract == s.Contract {
				return errValue.Because("scope: %s is there twice", s.Contract)
			}
		}
		if len(s.Methods) > maxScopeMethods {
			return errValue.Because("scope: %s has %d methods, limit %d", s.Contract, len(s.Methods), maxScopeMethods)
		}
		for _, name := range s.Methods {
			if !sdk.IsMethodName(name) {
				return errValue.Because("scope: %s: %q is not a method's name", s.Contract, name)
			}
		}
	}
	names, size := scopeNames(m.Scope), 0
	for _, name := range names {
		size += len(name)
	}
	if size > maxScopeText {
		return errValue.Because("scope: its %d names, such as %q, are %d bytes together, limit %d", len(names), names[0], size, maxScopeText)
	}
	models.Set(c, m.Model, m)
	modelSet.Emit(c, modelEvent{m.Model, m.Vendor, m.Quota, names})
	return nil
}

// scopeNames lists a scope for an event: "access.use", or "access" for the whole contract.
func scopeNames(scope []sdk.Scope) (names []string) {
	for _, s := range scope {
		if len(s.Methods) == 0 {
			names = append(names, s.Contract)
		}
		for _, m := range s.Methods {
			names = append(names, s.Contract+"."+m)
		}
	}
	return names
}

type modelArgs struct {
	Model string `doc:"name of the model"`
}

func removeModel(c *sdk.Ctx, a modelArgs) (sdk.None, error) {
	if err := byOperator(c); err != nil {
		return sdk.None{}, err
	}
	if _, err := profile(c, a.Model); err != nil {
		return sdk.None{}, err
	}
	models.Delete(c, a.Model)
	modelRemoved.Emit(c, modelArgs{a.Model})
	return sdk.None{}, nil
}

func model(c *sdk.Ctx, a modelArgs) (Model, error) { return profile(c, a.Model) }

func profile(c *sdk.Ctx, name string) (Model, error) {
	if err := checkName("model", name); err != nil {
		return Model{}, err
	}
	m, ok := models.Get(c, name)
	if !ok {
		return m, errModel.Because("there is no profile for model %q", name)
	}
	return m, nil
}

type pageArgs struct {
	After []byte `wire:",omitempty" doc:"where the last page ended: its next"`
	Limit uint32 `wire:",omitempty" doc:"how many at most; 20 if missing"`
}

type modelPage struct {
	Models []Model
	Next   []byte `wire:",omitempty" doc:"for the next page; missing on the last"`
}

// maxModelPage keeps a page of profiles below the 64 KiB of a result, also if each is as
// large as it can be.
const maxModelPage = 16

func modelsView(c *sdk.Ctx, a pageArgs) (page modelPage, err error) {
	rows, next := models.All().Page(c, a.After, pageSize(a.Limit, maxModelPage))
	for _, row := range rows {
		page.Models = append(page.Models, row.Value)
	}
	page.Next = next
	return page, nil
}

// pageSize is what the asker said, or the usual, but at most the most.
func pageSize(limit, most uint32) uint32 {
	if limit == 0 {
		limit = sdk.DefaultPage
	}
	return min(limit, most)
}

func byOperator(c *sdk.Ctx) error {
	if by, _ := operator.Get(c); c.Sender() != by {
		return errNotPermitted.Because("%s is not the operator %s", c.Sender(), by)
	}
	return nil
}

// checkName accepts what is typed on a command line: letters, digits and . _ -
func checkName(what, s string) error {
	if s == "" || len(s) > maxName {
		return errValue.Because("%s is %d bytes, must be 1 to %d", what, len(s), maxName)
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return errValue.Because("%s is %q: letters, digits and . _ - are allowed", what, s)
		}
	}
	return nil
}

// checkText accepts a line of text.
func checkText(what, s string, limit int) error {
	if len(s) > limit {
		return errValue.Because("%s is %d bytes, limit %d", what, len(s), limit)
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			return errValue.Because("%s is %q: control characters are not allowed", what, s)
		}
	}
	return nil
}
