console.log(Date.now());
