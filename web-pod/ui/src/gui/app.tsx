import { useEffect } from 'preact/hooks';
import { words } from '../words/index.ts';
import { DevicesPage } from './devices/page.tsx';
import { DialogHost } from './dialog.tsx';
import { FilesPage } from './files/page.tsx';
import { PastPage } from './files/past.tsx';
import { SearchPage } from './files/search.tsx';
import { TrashPage } from './files/trash.tsx';
import { FindGroups } from './groups/find.tsx';
import { GroupPage } from './groups/group.tsx';
import { LinksPage } from './links/page.tsx';
import { PreviewHost } from './preview/preview.tsx';
import { route } from './route.ts';
import { Shell } from './shell.tsx';
import { SignIn } from './sign-in.tsx';
import { place, session, spaces } from './store.ts';
import { Toasts } from './toasts.tsx';

export function App() {
  useEffect(() => {
    document.documentElement.lang = words.value.locale;
    document.title = words.value.product;
  }, [words.value]);
  return (
    <>
      <Inside />
      <PreviewHost />
      <DialogHost />
      <Toasts />
    </>
  );
}

function Inside() {
  if (session.value === undefined) return <p class="first" aria-busy="true" />;
  if (session.value === null) return <SignIn />;
  if (!spaces.value) return <p class="first">{words.value.loading}</p>;
  const at = route.value;
  return (
    <Shell>
      {at.at === 'files' && <FilesPage />}
      {at.at === 'past' && <PastPage />}
      {at.at === 'trash' && place.value && <TrashPage place={place.value} />}
      {at.at === 'links' && place.value && <LinksPage place={place.value} />}
      {at.at === 'search' && place.value && <SearchPage place={place.value} wanted={at.text} />}
      {'group' in at && at.at !== 'files' && at.at !== 'past' && !place.value && (
        <p class="empty">{words.value.problems['not-found']}</p>
      )}
      {at.at === 'devices' && <DevicesPage known={spaces.value} />}
      {at.at === 'groups' && <FindGroups known={spaces.value} />}
      {at.at === 'group' && <GroupPage known={spaces.value} name={at.name} />}
    </Shell>
  );
}
