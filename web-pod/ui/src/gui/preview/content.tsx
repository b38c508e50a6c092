// What is in a file, as far as a browser can show it.

import { useEffect, useRef, useState } from 'preact/hooks';
import { Problem } from '../../requests/problem.ts';
import type { Entry } from '../../requests/types.ts';
import { sentence, size, words } from '../../words/index.ts';
import { Icon } from '../icon.tsx';
import { disk } from '../store.ts';
import { drawingType, kindOf } from './kinds.ts';
import { lettersOf } from './letters.ts';

interface File {
  readonly space: string;
  readonly path: string;
  /** The moment in the past that is looked at; null: now. */
  readonly at: string | null;
  readonly entry: Entry;
}

export function Content(file: File) {
  switch (kindOf(file.entry)) {
    case 'picture':
      return <Picture {...file} />;
    case 'drawing':
      return <Drawing {...file} />;
    case 'sound':
    case 'film':
      return <Track {...file} />;
    case 'text':
      return <Letters {...file} />;
    default:
      return <Unshown />;
  }
}

function Unshown({ problem }: { problem?: Problem }) {
  return (
    <p class="unshown" role="status">
      <Icon name="alert" />
      {problem ? sentence(problem) : words.value.unshown}
    </p>
  );
}

const asProblem = (error: unknown) =>
  error instanceof Problem ? error : new Problem({ status: 0, code: 'internal' });

/** A server may die while it is looked at: another one is asked, so many times. */
const TRIES = 3;

/** An address for the file, and how to ask for another one. */
function useAddress({ space, path, at }: File) {
  const [url, setUrl] = useState<string>();
  const [problem, setProblem] = useState<Problem>();
  const [tries, setTries] = useState(0);
  useEffect(() => {
    let wanted = true;
    disk.downloadUrl(space, path, { inline: true, at }).then(
      (address) => wanted && setUrl(address),
      (error) => wanted && setProblem(asProblem(error)),
    );
    return () => {
      wanted = false;
    };
  }, [space, path, at, tries]);
  const again = () => {
    if (tries + 1 < TRIES) setTries(tries + 1);
    else setProblem(new Problem({ status: 0, code: 'unshown' }));
  };
  return { url, problem, again };
}

function Picture(file: File) {
  const { url, problem, again } = useAddress(file);
  const [there, setThere] = useState(false);
  if (problem) return problem.code === 'unshown' ? <Unshown /> : <Unshown problem={problem} />;
  return (
    <>
      {!there && (
        <span class="hidden" role="status">
          {words.value.loading}
        </span>
      )}
      <img
        class={there ? 'there' : 'coming'}
        src={url}
        alt={file.entry.name}
        onLoad={() => setThere(true)}
        onError={again}
      />
    </>
  );
}

/** Read here and shown under a type that is a picture and nothing else. */
function Drawing({ space, path, at, entry }: File) {
  const [url, setUrl] = useState<string>();
  const [problem, setProblem] = useState<Problem>();
  useEffect(() => {
    let made: string | undefined;
    let wanted = true;
    const read = async () => {
      const bytes = await (await disk.read(space, path, {}, at)).arrayBuffer();
      if (!wanted) return;
      made = URL.createObjectURL(new Blob([bytes], { type: drawingType(entry.name) }));
      setUrl(made);
    };
    read().catch((error) => wanted && setProblem(asProblem(error)));
    return () => {
      wanted = false;
      if (made) URL.revokeObjectURL(made);
    };
  }, [space, path, at, entry.name]);
  if (problem) return <Unshown problem={problem} />;
  return url ? <img class="there drawing" src={url} alt={entry.name} /> : null;
}

function Track(file: File) {
  const { url, problem, again } = useAddress(file);
  const track = useRef<HTMLVideoElement>(null);
  // Where it was when its server went away, or its ticket was over.
  const at = useRef(0);
  if (problem) return problem.code === 'unshown' ? <Unshown /> : <Unshown problem={problem} />;
  if (!url) return null;
  const events = {
    controls: true,
    preload: 'metadata' as const,
    'aria-label': file.entry.name,
    src: url,
    onTimeUpdate: () => {
      at.current = track.current?.currentTime ?? at.current;
    },
    onLoadedMetadata: () => {
      if (track.current && at.current > 0) {
        track.current.currentTime = at.current;
        void track.current.play().catch(() => undefined);
      }
    },
    onError: again,
  };
  if (kindOf(file.entry) === 'sound') {
    return (
      <div class="sound">
        <Icon name="sound" />
        <audio ref={track} {...events} />
      </div>
    );
  }
  return <video ref={track} {...events} />;
}

/** Of a text so much is shown. */
const BEGINNING = 256 << 10;

function Letters({ space, path, at, entry }: File) {
  const text = words.value;
  const [letters, setLetters] = useState<string>();
  const [problem, setProblem] = useState<Problem>();
  const whole = entry.size ?? 0;
  useEffect(() => {
    let wanted = true;
    const read = async () => {
      // There is no range of nothing.
      if (whole === 0) return '';
      const response = await disk.read(space, path, { Range: `bytes=0-${BEGINNING - 1}` }, at);
      return lettersOf(new Uint8Array(await response.arrayBuffer()).subarray(0, BEGINNING));
    };
    read().then(
      (said) => wanted && setLetters(said),
      (error) => wanted && setProblem(asProblem(error)),
    );
    return () => {
      wanted = false;
    };
  }, [space, path, at, whole]);
  if (problem) return <Unshown problem={problem} />;
  if (letters === undefined) return <p role="status">{text.loading}</p>;
  return (
    <div class="letters">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard */}
      <pre tabIndex={0} role="region" aria-label={entry.name}>
        {letters || text.emptyFile}
      </pre>
      {whole > BEGINNING && <p class="quiet small">{text.onlyBeginning(size(BEGINNING))}</p>}
    </div>
  );
}
