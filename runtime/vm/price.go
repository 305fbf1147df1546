package vm

import "github.com/wardledger/ward/runtime/gas"

// instancePrice returns the gas that an instance of a prepared module costs. It is asked
// for when the module is compiled, so that a call pays before anything is allocated.
//
// Table entries aren't counted: MaxTable of them take 50 us, which the flat price covers.
func instancePrice(wasm []byte) uint64 {
	var pages, items uint64
	for r := (reader{b: wasm, at: len(header)}); r.at < len(wasm) && !r.bad; {
		id := r.byte()
		section := reader{b: r.bytes(r.u32())}
		count := section.u32()
		switch id {
		case sectionMemory:
			for range count {
				pages += uint64(section.limits())
			}
		case sectionElement:
			for range count {
				items += 1 + uint64(section.elements())
			}
		case sectionGlobal, sectionExport, sectionData:
			items += uint64(count)
		}
	}
	return gas.Instance(pages, items)
}
