// Paths in a space: names joined by slashes, without one at either end. The root is the empty path.

export const join = (directory: string, name: string): string => (directory ? `${directory}/${name}` : name);

export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

export const parentOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf('/'), 0));

/** A path as it stands in a URL. */
export const inUrl = (path: string): string => path.split('/').map(encodeURIComponent).join('/');

/** `report.pdf` in two parts; what begins with a dot has no ending. */
export function splitEnding(name: string): [string, string] {
  const dot = name.lastIndexOf('.');
  return dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
}

/** A name like the given one that is not among those taken: `report (2).pdf`. */
export function freeName(name: string, taken: (name: string) => boolean): string {
  if (!taken(name)) return name;
  const [stem, ending] = splitEnding(name);
  for (let number = 2; ; number++) {
    const candidate = `${stem} (${number})${ending}`;
    if (!taken(candidate)) return candidate;
  }
}
