// The pages work without this. It makes them nicer.

// What was done is said once: not again when the page is loaded again, or kept as a bookmark.
if (document.querySelector('[data-passing]')) {
  const address = new URL(location.href);
  address.searchParams.delete('done');
  history.replaceState(null, '', address);
}

// A page that shows a new key is the answer to a form: to load it again shall show the keys, not make another one.
const newKey = document.querySelector('[data-page]');
if (newKey) history.replaceState(null, '', newKey.dataset.page);

for (const button of document.querySelectorAll('[data-copy]')) {
  const source = document.getElementById(button.dataset.copy);
  const status = document.getElementById(`${button.dataset.copy}-copied`);
  if (!navigator.clipboard) continue;
  button.hidden = false;
  const copied = () => (status.textContent = 'Copied');
  const refused = () => {
    getSelection().selectAllChildren(source);
    status.textContent = 'Press Ctrl+C to copy it';
  };
  button.addEventListener('click', () => {
    navigator.clipboard.writeText(source.textContent).then(copied, refused);
  });
}

// Times as the clock on the wall has them.
const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
for (const time of document.querySelectorAll('time')) time.title = format.format(new Date(time.dateTime));

// A page that is open shows what has changed elsewhere, and that its own session has ended, which ends the stream too.
const live = document.querySelector('[data-events]');
if (live) listen(live.dataset.events);

function listen(address) {
  const events = new EventSource(address);
  events.addEventListener('message', () => reload());
  // What the page itself changes it shows next.
  for (const leaving of ['submit', 'pagehide']) addEventListener(leaving, () => events.close());
  // Who is signed out is led to the page for signing in; who has lost the network, or the server, tries again.
  const again = () => setTimeout(() => listen(address), 2000);
  const goOn = ({ type }) => (type === 'opaqueredirect' ? location.reload() : again());
  events.addEventListener('error', () => {
    events.close();
    fetch(location.href, { method: 'HEAD', redirect: 'manual' }).then(goOn, again);
  });
}

/** Not under the hands of somebody who is about to press a button. */
function reload() {
  if (document.querySelector('main').contains(document.activeElement))
    document.activeElement.addEventListener('blur', () => reload(), { once: true });
  else location.reload();
}

// Who asks for one thing no longer asks for the other.
const guarded = [...document.querySelectorAll('details.guarded')];
for (const details of guarded) {
  details.addEventListener('toggle', () => {
    if (details.open) for (const other of guarded) if (other !== details) other.open = false;
  });
  details.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !details.open) return;
    details.open = false;
    details.querySelector('summary').focus();
  });
}

// One click sends a form once.
addEventListener('submit', (event) => {
  for (const button of event.target.querySelectorAll('button:not([type="button"])')) button.disabled = true;
});
addEventListener('pageshow', (event) => {
  if (event.persisted) for (const button of document.querySelectorAll('button:disabled')) button.disabled = false;
});
