/**
 * ATen operators whose results may share memory with their first operand, one record each. What else is known of them follows from it.
 *
 * @packageDocumentation
 */

/** How the results hold the elements of the first operand. */
type Arrangement =
  /** All of them, arranged anew. */
  | 'whole'
  /** Some of them: the result may be smaller. */
  | 'cut'
  /** Every result is a part. */
  | 'parts'
  /** Other numbers (the same bytes read in another way), or not in every call. */
  | 'other';

/** Schema with the alias annotations of native_functions.yaml, as PyTorch prints it. Unannotated: composites that still may return their operand. */
type Row = readonly [schema: string, arrangement: Arrangement];

const RECORDS: readonly Row[] = [
  ['adjoint(Tensor(a) self) -> Tensor(a)', 'whole'],
  ['alias(Tensor(a) self) -> Tensor(a)', 'whole'],
  [
    'as_strided(Tensor(a) self, SymInt[] size, SymInt[] stride, SymInt? storage_offset=None) -> Tensor(a)',
    'whole'
  ],
  ['atleast_1d(Tensor self) -> Tensor', 'whole'],
  ['atleast_2d(Tensor self) -> Tensor', 'whole'],
  ['atleast_3d(Tensor self) -> Tensor', 'whole'],
  ['broadcast_to(Tensor(a) self, SymInt[] size) -> Tensor(a)', 'whole'],
  ['chunk(Tensor(a -> *) self, int chunks, int dim=0) -> Tensor(a)[]', 'parts'],
  ['conj(Tensor(a) self) -> Tensor(a)', 'whole'],
  ['contiguous(Tensor(a) self, *, MemoryFormat memory_format=0) -> Tensor(a)', 'whole'],
  ['detach(Tensor(a) self) -> Tensor(a)', 'whole'],
  ['detach_(Tensor(a!) self) -> Tensor(a!)', 'whole'],
  ['diagonal(Tensor(a) self, int offset=0, int dim1=0, int dim2=1) -> Tensor(a)', 'cut'],
  ['dsplit.array(Tensor(a -> *) self, int[] indices) -> Tensor(a)[]', 'parts'],
  ['dsplit.int(Tensor(a -> *) self, int sections) -> Tensor(a)[]', 'parts'],
  ['expand(Tensor(a) self, SymInt[] size, *, bool implicit=False) -> Tensor(a)', 'whole'],
  ['expand_as(Tensor(a) self, Tensor other) -> Tensor(a)', 'whole'],
  ['flatten.using_ints(Tensor(a) self, int start_dim=0, int end_dim=-1) -> Tensor(a)', 'whole'],
  ['hsplit.array(Tensor(a -> *) self, int[] indices) -> Tensor(a)[]', 'parts'],
  ['hsplit.int(Tensor(a -> *) self, int sections) -> Tensor(a)[]', 'parts'],
  ['imag(Tensor(a) self) -> Tensor(a)', 'other'],
  ['lift_fresh(Tensor(a) self) -> Tensor(a)', 'whole'],
  ['linalg_diagonal(Tensor(a) A, *, int offset=0, int dim1=-2, int dim2=-1) -> Tensor(a)', 'cut'],
  ['mH(Tensor(a) self) -> Tensor(a)', 'whole'],
  ['mT(Tensor(a) self) -> Tensor(a)', 'whole'],
  ['matrix_H(Tensor(a) self) -> Tensor(a)', 'whole'],
  ['moveaxis.int(Tensor(a) self, int source, int destination) -> Tensor(a)', 'whole'],
  ['moveaxis.intlist(Tensor(a) self, int[] source, int[] destination) -> Tensor(a)', 'whole'],
  ['movedim.int(Tensor(a) self, int source, int destination) -> Tensor(a)', 'whole'],
  ['movedim.intlist(Tensor(a) self, int[] source, int[] destination) -> Tensor(a)', 'whole'],
  ['narrow(Tensor(a) self, int dim, SymInt start, SymInt length) -> Tensor(a)', 'cut'],
  ['narrow.Tensor(Tensor(a) self, int dim, Tensor start, SymInt length) -> Tensor(a)', 'cut'],
  ['numpy_T(Tensor(a) self) -> Tensor(a)', 'whole'],
  ['pad(Tensor self, SymInt[] pad, str mode="constant", float? value=None) -> Tensor', 'other'],
  ['permute(Tensor(a) self, int[] dims) -> Tensor(a)', 'whole'],
  ['pin_memory(Tensor(a) self, Device? device=None) -> Tensor(a)', 'whole'],
  ['positive(Tensor(a) self) -> Tensor(a)', 'whole'],
  ['ravel(Tensor(a) self) -> Tensor(a)', 'whole'],
  ['real(Tensor(a) self) -> Tensor(a)', 'whole'],
  ['reshape(Tensor(a) self, SymInt[] shape) -> Tensor(a)', 'whole'],
  ['reshape_as(Tensor(a) self, Tensor other) -> Tensor(a)', 'whole'],
  ['resolve_conj(Tensor(a) self) -> Tensor(a)', 'whole'],
  ['resolve_neg(Tensor(a) self) -> Tensor(a)', 'whole'],
  ['select.int(Tensor(a) self, int dim, SymInt index) -> Tensor(a)', 'cut'],
  [
    'slice.Tensor(Tensor(a) self, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> Tensor(a)',
    'cut'
  ],
  ['split(Tensor(a -> *) self, int[] split_sizes, int dim=0) -> Tensor(a)[]', 'parts'],
  ['split.Tensor(Tensor(a -> *) self, SymInt split_size, int dim=0) -> Tensor(a)[]', 'parts'],
  ['split.sizes(Tensor(a -> *) self, SymInt[] split_size, int dim=0) -> Tensor(a)[]', 'parts'],
  [
    'split_with_sizes(Tensor(a -> *) self, SymInt[] split_sizes, int dim=0) -> Tensor(a)[]',
    'parts'
  ],
  ['squeeze(Tensor(a) self) -> Tensor(a)', 'whole'],
  ['squeeze.dim(Tensor(a) self, int dim) -> Tensor(a)', 'whole'],
  ['squeeze.dims(Tensor(a) self, int[] dim) -> Tensor(a)', 'whole'],
  ['swapaxes(Tensor(a) self, int axis0, int axis1) -> Tensor(a)', 'whole'],
  ['swapdims(Tensor(a) self, int dim0, int dim1) -> Tensor(a)', 'whole'],
  ['t(Tensor(a) self) -> Tensor(a)', 'whole'],
  [
    'tensor_split.indices(Tensor(a -> *) self, SymInt[] indices, int dim=0) -> Tensor(a)[]',
    'parts'
  ],
  [
    'tensor_split.sections(Tensor(a -> *) self, SymInt sections, int dim=0) -> Tensor(a)[]',
    'parts'
  ],
  [
    'tensor_split.tensor_indices_or_sections(Tensor(a -> *) self, Tensor tensor_indices_or_sections, int dim=0) -> Tensor(a)[]',
    'parts'
  ],
  ['transpose.int(Tensor(a) self, int dim0, int dim1) -> Tensor(a)', 'whole'],
  ['unbind.int(Tensor(a -> *) self, int dim=0) -> Tensor(a)[]', 'parts'],
  ['unflatten.int(Tensor(a) self, int dim, SymInt[] sizes) -> Tensor(a)', 'whole'],
  ['unfold(Tensor(a) self, int dimension, int size, int step) -> Tensor(a)', 'cut'],
  ['unsafe_chunk(Tensor self, int chunks, int dim=0) -> Tensor[]', 'parts'],
  ['unsafe_split.Tensor(Tensor self, SymInt split_size, int dim=0) -> Tensor[]', 'parts'],
  ['unsafe_split_with_sizes(Tensor self, SymInt[] split_sizes, int dim=0) -> Tensor[]', 'parts'],
  ['unsqueeze(Tensor(a) self, int dim) -> Tensor(a)', 'whole'],
  ['view(Tensor(a) self, SymInt[] size) -> Tensor(a)', 'whole'],
  ['view.dtype(Tensor(a) self, ScalarType dtype) -> Tensor(a)', 'other'],
  ['view_as(Tensor(a) self, Tensor other) -> Tensor(a)', 'whole'],
  ['view_as_complex(Tensor(a) self) -> Tensor(a)', 'other'],
  ['view_as_real(Tensor(a) self) -> Tensor(a)', 'other'],
  ['vsplit.array(Tensor(a -> *) self, int[] indices) -> Tensor(a)[]', 'parts'],
  ['vsplit.int(Tensor(a -> *) self, int sections) -> Tensor(a)[]', 'parts'],
  ['_conj(Tensor(a) self) -> Tensor(a)', 'whole'],
  ['_neg_view(Tensor(a) self) -> Tensor(a)', 'other'],
  ['_reshape_alias(Tensor(a) self, SymInt[] size, SymInt[] stride) -> Tensor(a)', 'whole'],
  ['_unsafe_view(Tensor self, SymInt[] size) -> Tensor', 'whole']
];

const BY_OP: ReadonlyMap<string, Arrangement> = new Map(
  RECORDS.map(([schema, arrangement]) => {
    const [base, overload = 'default'] = schema.slice(0, schema.indexOf('(')).split('.');
    return [`aten.${base}.${overload}`, arrangement];
  })
);

/** The records, for whoever compares them with PyTorch's own. */
export function viewSchemas(): string[] {
  return RECORDS.map(([schema]) => schema);
}

/** How the results of an operator hold elements of its first operand; null where they share no memory with it. */
export function viewArrangement(op: string): Arrangement | null {
  return BY_OP.get(op) ?? null;
}

/** Whether an operator finds elements by their place in memory, which the strides of its first operand tell. */
export function addressesMemory(op: string): boolean {
  return op === 'aten.as_strided.default' || op === 'aten.as_strided_copy.default';
}
