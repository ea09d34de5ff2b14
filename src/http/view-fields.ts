/** What an object of a view's class has, without being one. */
type Fields<View> = { [Field in keyof View]: View[Field] };

/** The fields of a view, to be spread into another one. A view is plain: its class has no methods to lose. */
export function fieldsOf<View extends object>(view: View): Fields<View> {
  return view;
}
