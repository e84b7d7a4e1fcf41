// The pages work without this script.

// Removes the last action from the URL, so that a reload or a bookmark does not show its message again.
if (document.querySelector('[data-passing]')) {
  const address = new URL(location.href);
  address.searchParams.delete('done');
  history.replaceState(null, '', address);
}

// A page with a new key is the response to a form. A reload shows the list of keys instead of creating another one.
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

// Shows times in the local time zone.
const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
for (const time of document.querySelectorAll('time')) time.title = format.format(new Date(time.dateTime));

// An open page shows changes on other devices, and the end of its own session, which also ends the stream.
const live = document.querySelector('[data-events]');
if (live) listen(live.dataset.events);

function listen(address) {
  const events = new EventSource(address);
  events.addEventListener('message', () => reload());
  // The page's own changes load the next page anyway.
  for (const leaving of ['submit', 'pagehide']) addEventListener(leaving, () => events.close());
  // Redirects to sign-in when signed out. Retries when the network or the server is down.
  const again = () => setTimeout(() => listen(address), 2000);
  const goOn = ({ type }) => (type === 'opaqueredirect' ? location.reload() : again());
  events.addEventListener('error', () => {
    events.close();
    fetch(location.href, { method: 'HEAD', redirect: 'manual' }).then(goOn, again);
  });
}

/** Does not change the page while the user is about to press a button. */
function reload() {
  if (document.querySelector('main').contains(document.activeElement))
    document.activeElement.addEventListener('blur', () => reload(), { once: true });
  else location.reload();
}

// Opening one confirmation closes the others.
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

// Prevents sending a form twice.
addEventListener('submit', (event) => {
  for (const button of event.target.querySelectorAll('button:not([type="button"])')) button.disabled = true;
});
addEventListener('pageshow', (event) => {
  if (event.persisted) for (const button of document.querySelectorAll('button:disabled')) button.disabled = false;
});
