"use strict";
// Deferred, so it runs before the load event: the browser then replaces this page in the history
// and "Back" does not post again. The prototype's method, for a field may be called "submit".
HTMLFormElement.prototype.submit.call(document.getElementById("form-post"));
