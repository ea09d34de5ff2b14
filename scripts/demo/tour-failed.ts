/** Something that the service promises did not come true. */
export class TourFailedError extends Error {}
