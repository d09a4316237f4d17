// The drawing pad in the browser: the paper is what is seen.

new Pad(element.querySelector(".drawing"));
