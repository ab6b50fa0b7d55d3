/**
 * What the page of an outage does in the browser: it shows the app the moment that it serves, and can ask for a reload. Text,
 * since it's part of a page; the page's policy allows exactly this text, by its hash.
 *
 * It listens only while it's looked at: browsers have but six connections for all pages of an HTTP/1.1 origin. What it is told
 * first is how things are: if the app serves already, the page is fetched anew after a moment, so that it can't be in a circle.
 */
export const PAGE_SCRIPT: string = `(() => {
  let source;
  const show = () => location.reload();
  const listen = () => {
    source?.close();
    source = undefined;
    if (document.hidden) return;
    source = new EventSource("/__prefork/events");
    let isFirst = true;
    source.addEventListener("state", (event) => {
      const { ready } = JSON.parse(event.data);
      if (ready) setTimeout(show, isFirst ? 1000 : 0);
      isFirst = false;
    });
  };
  document.addEventListener("visibilitychange", listen);
  listen();
  const button = document.querySelector("button");
  button.addEventListener("click", async () => {
    button.disabled = true;
    const headers = { "x-prefork-token": button.dataset.token };
    await fetch("/__prefork/reload", { method: "POST", headers }).catch(() => {});
    show();
  });
})();`;
