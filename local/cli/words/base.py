"""What every command may say: punctuation, names of modes, and what went wrong with what to do about it."""

FR = {
    "base.colon": " : ",
    "base.sure": "Continuer ? (oui/non)",
    "mode.real_time": "temps réel",
    "mode.batch": "par lots",
    "mode.manual": "manuel",
    "use.NoSuchOption": "il n’y a pas d’option {what}",
    "use.MissingParameter": "il manque {what}",
    "use.none": "il manque la commande",
    "use.extra": "il y a un mot de trop",
    "use.command": "« {what} » n’est pas une commande. Il y a : {known}.",
    "trouble.use": "Commande mal écrite : {what}. Aide : ajoutez --help.",
    "trouble.stopped": "Arrêté : rien n’a été fait.",
    "trouble.interrupted": "Arrêté. Ce qui était déjà demandé continue peut-être : regardez avec « status ».",
    "trouble.language": "« {language} » n’est pas une langue d’ici : fr ou en.",
    "trouble.never_run": "Le moteur n’a jamais tourné ici. Lancez-le avec « make run » dans un autre terminal, ou "
    "nommez celui qui tourne ailleurs : --at URL et SYNC_TOKEN.",
    "trouble.not_running": "Rien ne répond à {address} ({why}). Le moteur tourne-t-il ? Lancez-le avec « make run » "
    "dans un autre terminal ; s’il tourne sur un autre port : --at http://127.0.0.1:PORT.",
    "trouble.unreachable": "{address} est injoignable ({why}). Vérifiez l’adresse et la connexion, puis réessayez.",
    "trouble.slow": "{address} n’a pas répondu à temps. La demande a peut-être été prise : regardez avec « status » "
    "avant de recommencer.",
    "trouble.not_ours": "Ce qui répond à {address} n’est pas le moteur. Vérifiez l’adresse (--at).",
    "trouble.token_here": "Le moteur d’ici refuse notre jeton : ses réglages ne sont pas ceux que nous lisons. Relancez"
    " « make run », ou nommez son fichier : --settings DOSSIER/settings.json.",
    "trouble.token": "L’accès est refusé : le jeton manque, a expiré, ou est pour une autre application. Mettez-en un "
    "nouveau dans SYNC_TOKEN (docs/command-line.md).",
    "trouble.no_token": "Pour {address} il faut un jeton : mettez-le dans SYNC_TOKEN (docs/command-line.md).",
    "trouble.address": "--at est l’adresse du moteur, comme https://mon-moteur.azurewebsites.net, sans nom ni mot de "
    "passe.",
    "trouble.not_https": "{host} : en http le jeton serait lisible en chemin. Écrivez https://.",
    "trouble.settings": "Les réglages ne se lisent pas : {why}.",
    "trouble.no_key": "{file} n’a pas de SIGN_IN_KEY à nous : lancez « make run », qui en fait une, ou donnez le jeton "
    "dans SYNC_TOKEN.",
    "trouble.busy": "Trop de demandes à la fois. Réessayez dans {seconds} s.",
    "trouble.failed": "Le moteur n’a pas pu répondre ({status}, {why}). Réessayez ; si cela dure, cherchez "
    "{correlation} dans son journal.",
    "trouble.refused": "Refusé : {why}",
    "trouble.overtaken": "{why}",
}

EN = {
    "base.colon": ": ",
    "base.sure": "Go on? (yes/no)",
    "mode.real_time": "real time",
    "mode.batch": "batch",
    "mode.manual": "manual",
    "use.NoSuchOption": "there is no option {what}",
    "use.MissingParameter": "{what} is missing",
    "use.none": "the command is missing",
    "use.extra": "there is a word too many",
    "use.command": "“{what}” is no command. There are: {known}.",
    "trouble.use": "The command is not written right: {what}. For help add --help.",
    "trouble.stopped": "Stopped: nothing was done.",
    "trouble.interrupted": "Stopped. What was asked for already may go on: look with “status”.",
    "trouble.language": "“{language}” is no language of ours: fr or en.",
    "trouble.never_run": "The engine has never run here. Start it with “make run” in another terminal, or name the one "
    "that runs elsewhere: --at URL and SYNC_TOKEN.",
    "trouble.not_running": "Nothing answers at {address} ({why}). Does the engine run? Start it with “make run” in "
    "another terminal; if it runs on another port: --at http://127.0.0.1:PORT.",
    "trouble.unreachable": "{address} cannot be reached ({why}). Check the address and the connection, then try again.",
    "trouble.slow": "{address} did not answer in time. It may have taken the request: look with “status” before you "
    "repeat it.",
    "trouble.not_ours": "What answers at {address} is not the engine. Check the address (--at).",
    "trouble.token_here": "The engine here refuses our token: its settings are not the ones we read. Start “make run” "
    "again, or name its file: --settings FOLDER/settings.json.",
    "trouble.token": "Access is refused: the token is missing, is over, or is for another application. Put a new one "
    "into SYNC_TOKEN (docs/command-line.md).",
    "trouble.no_token": "{address} needs a token: put it into SYNC_TOKEN (docs/command-line.md).",
    "trouble.address": "--at is the engine’s address, like https://my-engine.azurewebsites.net, without a name or a "
    "password.",
    "trouble.not_https": "{host}: over http anybody on the way could read the token. Write https://.",
    "trouble.settings": "The settings cannot be read: {why}.",
    "trouble.no_key": "{file} has no SIGN_IN_KEY of ours: start “make run”, which makes one, or give the token in "
    "SYNC_TOKEN.",
    "trouble.busy": "Too many requests at once. Try again in {seconds} s.",
    "trouble.failed": "The engine could not answer ({status}, {why}). Try again; if it goes on, look for {correlation} "
    "in its log.",
    "trouble.refused": "Refused: {why}",
    "trouble.overtaken": "{why}",
}
