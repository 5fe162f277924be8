"""The dashboard in Turkish, as traders speak it: each English sentence with its own, by the file that says it first.

Names that Turkish traders use in English stay English: long, short, TP, SL, PnL, mark, maker, taker.
"""

from __future__ import annotations

TURKISH: dict[str, str] = {
    # app.py
    "The terminal in which Perpdeck runs has the details. Stops and targets that rest on the exchange go "
    "on guarding your positions, and the bot goes on by itself. Reload the page to try again.": (
        "Ayrıntılar Perpdeck'in çalıştığı terminalde. Borsada bekleyen SL ve TP emirleri pozisyonlarınızı "
        "korumaya devam ediyor, bot da kendi başına çalışmayı sürdürüyor. Yeniden denemek için sayfayı "
        "yenileyin."
    ),
    "This page met an error it did not expect": "Bu sayfada beklenmeyen bir hata oluştu",
    # active_positions.py
    "On the exchange": "Borsada",
    "Chart": "Grafik",
    "Nothing is held yet": "Henüz pozisyon yok",
    "Press Start bot in the sidebar: it brings prices and guards what you open. Then open a position.": (
        "Kenar çubuğundan botu başlatın: fiyatları getirir ve açtığınızı korur. Sonra bir pozisyon açın."
    ),
    "New Trade": "Yeni İşlem",
    "Edit TP/SL": "TP/SL düzenle",
    "Recovery": "Kurtarma",
    "Close": "Kapat",
    "No decision was needed at the last look.": "Son bakışta karar gerektiren bir şey yoktu.",
    "PnL, USDT": "PnL, USDT",
    "PnL / margin": "PnL / marjin",
    "Funding, USDT": "Fonlama, USDT",
    "No position is held just now.": "Şu anda açık pozisyon yok.",
    "Protection": "Koruma",
    "No candles yet: the bot reads them every few seconds while it looks at this account.": (
        "Henüz mum yok: bot bu hesaba baktığı sürece mumları birkaç saniyede bir okur."
    ),
    "The candles end {age} ago: the bot has read none since.": (
        "Mumlar {age} önce bitiyor: bot o zamandan beri hiç okumadı."
    ),
    "Contract": "Sözleşme",
    "All levels": "Tüm seviyeler",
    "Price candles of {symbol}": "{symbol} fiyat mumları",
    "Parts": "Parçalar",
    "Why?": "Neden?",
    "As of the look {ago}.": "Bakış zamanı: {ago}.",
    "Open positions on the exchange": "Borsadaki açık pozisyonlar",
    "What guards each part": "Her parçayı koruyan emirler",
    "Several at once": "Toplu işlem",
    "{n} parts:": "{n} parça:",
    "No limit of steps.": "Adım sınırı yok.",
    (
        "**No limit of steps:** while PnL is under {trigger} USDT, one of {add} USDT follows every {n} s, for as long "
        "as margin and your limits allow."
    ): (
        "**Adım sınırı yok:** PnL {trigger} USDT altında kaldıkça, marjin ve limitleriniz elverdiği sürece her {n} "
        "saniyede {add} USDT'lik bir adım daha gelir."
    ),
    "At most {n} steps": "En fazla {n} adım",
    "Set a limit for this position:": "Bu pozisyon için bir sınır koyun:",
    "Most steps in one cycle, below, is where a limit is set; Safety stops it at a daily loss.": (
        "Sınır aşağıdaki 'Bir döngüde en çok adım' alanında konur; Güvenlik günlük zararda durdurur."
    ),
    "By your settings one trade may lose {most} USDT at most.": (
        "Ayarlarınıza göre bir işlem en fazla {most} USDT kaybedebilir."
    ),
    "This is more than one trade may lose.": "Bu, bir işlemin kaybedebileceğinden fazla.",
    "leave it empty for a key that may not": "çekim yetkisi olmayan anahtarda boş bırakın",
    # audit trail
    "start the bot": "botu başlat",
    "stop the bot": "botu durdur",
    "log in": "giriş",
    "log out": "çıkış",
    "lock out": "kilitlendi",
    "wrong password": "yanlış parola",
    "set the password": "parola koy",
    "remove the password": "parolayı kaldır",
    "change the secret that seals the keys": "anahtarları mühürleyen sırrı değiştir",
    "sync the exchange's history": "borsa geçmişini eşitle",
    "Positions and orders": "Pozisyonlar ve emirler",
    "Start, stop, level": "Başlat, durdur, seviye",
    "Accounts and keys": "Hesaplar ve anahtarlar",
    "Who": "Kim",
    "About": "Konu",
    "Audit trail": "Denetim kaydı",
    "Everything that a person has asked for, and every log-in, also those that failed. Nothing is edited.": (
        "Bir kişinin istediği her şey ve başarısız olanlar dahil her giriş. Hiçbiri değiştirilmez."
    ),
    "Nothing of the kind is on record yet.": "Bu türden bir kayıt henüz yok.",
    "It is being closed: its targets and its recovery no longer matter.": (
        "Kapatılıyor: hedeflerinin ve kurtarmasının artık bir önemi yok."
    ),
    # history.py
    "PnL": "PnL",
    "Net": "Net",
    "Funding": "Fonlama",
    "Expectancy": "Beklenti",
    "Difference": "Fark",
    "Exchange, net": "Borsa, net",
    "Ours, net": "Biz, net",
    "Grouped": "Gruplama",
    "Sync now": "Şimdi eşitle",
    "CSV": "CSV",
    "Cycles": "Döngüler",
    "A cycle appears here once a position has been closed.": "Bir pozisyon kapandığında döngüsü burada görünür.",
    "Performance": "Performans",
    "The measures appear here once a position has been closed.": "Ölçütler bir pozisyon kapandığında burada görünür.",
    "At the exchange": "Borsada",
    "Positions that the exchange has closed appear here.": "Borsanın kapattığı pozisyonlar burada görünür.",
    "Fills": "Gerçekleşmeler",
    "Each execution at the exchange appears here.": "Borsadaki her gerçekleşme burada görünür.",
    "Payments appear here while a position is held over a funding time.": (
        "Fonlama saatinde pozisyon tutuluyorsa ödemeler burada görünür."
    ),
    "Events": "Olaylar",
    "What was asked and what the bot decided appears here.": "İstenenler ve botun kararları burada görünür.",
    "Shown": "Gösterilen",
    "Nothing fits the filters; clear them to see everything.": (
        "Filtrelere uyan kayıt yok; hepsini görmek için filtreleri temizleyin."
    ),
    "Nothing yet": "Henüz bir şey yok",
    "Fees": "Komisyonlar",
    "Average win": "Ortalama kazanç",
    "Average loss": "Ortalama kayıp",
    "Exchange, PnL": "Borsa, PnL",
    "Ours, PnL": "Biz, PnL",
    "Exchange, fees": "Borsa, komisyon",
    "Ours, fees": "Biz, komisyon",
    "Exchange, funding": "Borsa, fonlama",
    "Ours, funding": "Biz, fonlama",
    "Steps of a cycle": "Bir döngünün adımları",
    "Nothing was bought or sold in this cycle.": "Bu döngüde alım ya da satım olmadı.",
    "Steps of the cycle": "Döngünün adımları",
    "{why}\n\nWhat was read is kept; the bot goes on from there at its next try.": (
        "{why}\n\nOkunanlar saklandı; bot bir sonraki denemede kaldığı yerden sürdürür."
    ),
    "Refresh": "Yenile",
    "The newest {n}.": "En yeni {n} kayıt.",
    "Of the newest {n} cycles, from {time} on. Choose dates to measure earlier ones.": (
        "En yeni {n} döngünün sonuçları, {time} tarihinden itibaren. Daha eskileri için tarih seçin."
    ),
    "choose a cycle to see each of its steps": "adımlarını görmek için bir döngü seçin",
    "Fee": "Komisyon",
    "Equity of the account, USDT": "Hesabın özkaynağı, USDT",
    "Net of the cycles so far, USDT": "Şimdiye kadarki döngülerin neti, USDT",
    "The exchange's history could not be read to its end": "Borsa geçmişi sonuna kadar okunamadı",
    "Net of all cycles so far, USDT": "Şimdiye kadarki tüm döngülerin neti, USDT",
    "Running total of the net result": "Net sonucun birikimli toplamı",
    # menu.py
    "level {level}": "seviye {level}",
    "Trade": "İşlem",
    "Set up": "Kurulum",
    "picture {age} old": "görüntü {age} önce",
    "no picture yet": "henüz görüntü yok",
    "Account": "Hesap",
    "Add one in Settings": "Ayarlar'dan ekleyin",
    "Active Positions": "Aktif Pozisyonlar",
    "Orders": "Emirler",
    "History": "Geçmiş",
    "Safety": "Güvenlik",
    "Settings": "Ayarlar",
    "Paper market": "Kağıt piyasa",
    "No account yet": "Henüz hesap yok",
    "A paper account needs no keys.": "Kağıt hesap anahtar istemez.",
    # new_trade.py
    "Open this position?": "Bu pozisyon açılsın mı?",
    "Part **{part}** is asked for: {words}": "**{part}** parçası istendi: {words}",
    "Open {side}": "{side} aç",
    "**What it comes to**": "**Sonuç**",
    "**Recovery ladder**": "**Kurtarma merdiveni**",
    "Average, target and stop after each recovery step": "Her kurtarma adımından sonra ortalama, TP ve SL",
    "All parts": "Tüm parçalar",
    "Take-profit": "Kâr al (TP)",
    "Stop-loss": "Zarar durdur (SL)",
    "No prices yet": "Henüz fiyat yok",
    "The bot brings prices and contract rules. Press Start bot in the sidebar; the form follows in a moment.": (
        "Fiyatları ve sözleşme kurallarını bot getirir. Kenar çubuğundan botu başlatın; form birazdan gelir."
    ),
    "Presets of Try1": "Try1 hazır ayarları",
    "Unit": "Birim",
    "I want another one": "Bir tane daha istiyorum",
    "The bot is stopped: the order goes out once you press Start bot.": (
        "Bot durduruldu: emir, botu başlattığınızda gönderilir."
    ),
    "It follows once the numbers above are right.": "Yukarıdaki sayılar düzelince gelir.",
    "Recovery ladder, step by step": "Kurtarma merdiveni, adım adım",
    "No part yet. Each position you open is one, for all of its cycles.": (
        "Henüz parça yok. Açtığınız her pozisyon, tüm döngüleriyle bir parçadır."
    ),
    "Side": "Yön",
    "Position value, USDT": "Pozisyon değeri, USDT",
    "Leverage": "Kaldıraç",
    "Trigger by": "Tetik fiyatı",
    "Entry": "Giriş",
    "Recovery and reopen": "Kurtarma ve yeniden açma",
    "Review": "Gözden geçir",
    "none": "yok",
    "If the stop hits": "Stop çalışırsa",
    "All parts of this account": "Bu hesabın tüm parçaları",
    "Limit price": "Limit fiyat",
    # orders.py
    "Cancel this order?": "Bu emir iptal edilsin mi?",
    "Take this level away?": "Bu seviye kaldırılsın mı?",
    "What is filled stays and stays protected; the rest will not be bought or sold.": (
        "Gerçekleşen kısım kalır ve korunur; gerisi alınmaz ya da satılmaz."
    ),
    "Cancel order": "Emri iptal et",
    "Working": "Bekleyen",
    "No plain order is working.": "Bekleyen normal emir yok.",
    "Waiting for a trigger": "Tetik bekleyen",
    "No stop or target rests.": "Bekleyen SL ya da TP yok.",
    "Not ours": "Bizim olmayan",
    "No order of anybody else.": "Başkasına ait emir yok.",
    "It stays away in this cycle until a recovery step, or until you return the part to automatic.": (
        "Bu döngüde bir kurtarma adımına ya da parçayı otomatiğe döndürmenize kadar kalkmış kalır."
    ),
    "TP and SL by hand": "Elle TP ve SL",
    "Part": "Parça",
    "No orders yet": "Henüz emir yok",
    "Orders appear with the bot's first look. Press Start bot in the sidebar.": (
        "Emirler botun ilk bakışıyla görünür. Kenar çubuğundan botu başlatın."
    ),
    "No usable answer came for these. The bot asks the exchange for each under its own id, and until it "
    "knows it sends nothing that could double them.": (
        "Bunlar için kullanılabilir yanıt gelmedi. Bot her birini kendi kimliğiyle borsaya sorar; sonucu "
        "öğrenene dek onları ikileyebilecek hiçbir şey göndermez."
    ),
    "They protect your parts. Each is moved, added or taken away below, part by part.": (
        "Parçalarınızı bunlar korur. Aşağıda parça parça değiştirilir, eklenir ya da kaldırılır."
    ),
    "Made by hand or by another program: shown here, never touched. Safety has what can be done.": (
        "Elle ya da başka bir programla verilmiş: burada gösterilir, hiç dokunulmaz. Yapılabilecekler Güvenlik "
        "sayfasında."
    ),
    "Without a stop-loss nothing limits the loss of this part but your own hand and liquidation.": (
        "SL olmadan bu parçanın zararını sizden ve likidasyondan başka hiçbir şey sınırlamaz."
    ),
    "Without a take-profit the part is held until its stop-loss, or until you close it.": (
        "TP olmadan parça, SL çalışana ya da siz kapatana kadar tutulur."
    ),
    "Set TP and SL": "TP ve SL'yi koy",
    "Cancel {symbol} {n} at {p}": "{symbol} {n} @ {p} iptal et",
    "buy": "alış",
    "sell": "satış",
    "Outcome not known yet": "Sonucu henüz bilinmeyen",
    "Orders whose outcome is not known yet": "Sonucu henüz bilinmeyen emirler",
    "Somebody moved these levels at the exchange": "Bu seviyeler borsada değiştirilmiş",
    "Keep the exchange's levels": "Borsadaki seviyeleri koru",
    "Return to automatic": "Otomatiğe dön",
    "Take-profit {tp}, stop-loss {sl}, seen {ago}. The bot puts its own levels back; keep these to make them hold.": (
        "TP {tp}, SL {sl}, {ago} görüldü. Bot kendi seviyelerini geri koyar; bunların geçerli olması için koruyun."
    ),
    "Automatic: the levels follow the part's own targets, and after a recovery step those of recovery.": (
        "Otomatik: seviyeler parçanın kendi hedeflerini, kurtarma adımından sonra kurtarmanınkileri izler."
    ),
    "TP + SL": "TP + SL",
    "TP + SL with the entry": "Girişle birlikte TP + SL",
    "Remove take-profit": "TP'yi kaldır",
    "Remove stop-loss": "SL'yi kaldır",
    "Held by hand: the bot keeps exactly these levels on the exchange until the part's next recovery step, "
    "the end of its cycle, or Return to automatic.": (
        "Elle tutuluyor: bot, parçanın bir sonraki kurtarma adımına, döngü sonuna ya da Otomatiğe dön'e kadar "
        "borsada tam bu seviyeleri tutar."
    ),
    "Order id": "Emir no",
    "Take-profit at": "TP seviyesi",
    "Stop-loss at": "SL seviyesi",
    "Held": "Tutulan",
    "Position": "Pozisyon",
    "Filled": "Gerçekleşen",
    "Placed": "Verildi",
    "by hand": "elle",
    "automatically": "otomatik",
    # paper_market.py
    "{symbol} is set to {p}.": "{symbol} fiyatı {p} oldu.",
    "{symbol} moved by {n:+d} %.": "{symbol} %{n:+d} hareket etti.",
    "The paper exchange will do so once.": "Kağıt borsa bunu bir kez yapacak.",
    "The paper exchange will do so {n} times.": "Kağıt borsa bunu {n} kez yapacak.",
    "The paper exchange behaves again.": "Kağıt borsa yine düzgün çalışıyor.",
    "**Move the price**": "**Fiyatı hareket ettir**",
    "The price travels there in a straight line, so every stop and target on the way is met.": (
        "Fiyat oraya düz bir çizgide gider; yoldaki her SL ve TP çalışır."
    ),
    "Between your moves": "Hamleleriniz arasında",
    "{n} so far": "şimdiye kadar {n}",
    "The paper exchange does not run": "Kağıt borsa çalışmıyor",
    "It runs for paper accounts. Choose one in the sidebar; it starts together with Perpdeck.": (
        "Kağıt hesaplar için çalışır. Kenar çubuğundan birini seçin; Perpdeck ile birlikte başlar."
    ),
    "Type the new price of {symbol} first.": "Önce {symbol} için yeni fiyatı yazın.",
    "Prices walk by themselves.": "Fiyatlar kendiliğinden hareket eder.",
    "Prices move only when you move them.": "Fiyatlar yalnızca siz hareket ettirince değişir.",
    "Last": "Son",
    "Mark": "Mark",
    "Index": "Endeks",
    "No candle yet; the first one closes within a minute.": "Henüz mum yok; ilki bir dakika içinde kapanır.",
    "New price, USDT": "Yeni fiyat, USDT",
    "Set price": "Fiyatı ayarla",
    "What goes wrong": "Ne ters gitsin",
    "Behave again": "Düzelt",
    "Just now the paper exchange does everything right.": "Kağıt borsa şu anda her şeyi doğru yapıyor.",
    "price": "fiyat",
    "How many times": "Kaç kez",
    "Add": "Ekle",
    "Walk by itself": "Kendiliğinden",
    "Hold still": "Sabit dursun",
    # api_tokens.py
    "API": "API",
    "A program trades through the same checks and the same bot as these pages. Its reference lies at /api/v1/docs.": (
        "Programlar bu sayfalarla aynı denetimlerden ve aynı bottan geçerek işlem yapar. Başvuru: /api/v1/docs."
    ),
    "No program may come in yet.": "Henüz hiçbir programın girme izni yok.",
    "Revoked or expired: {n}": "İptal edilmiş veya süresi dolmuş: {n}",
    "when it is revoked": "iptal edilince",
    "Ends: {ends} · last used: {used}": "Bitiş: {ends} · son kullanım: {used}",
    "Revoke": "İptal et",
    "Revoke this token?": "Bu belirteç iptal edilsin mi?",
    "**{name}** is turned away from its next request on. What it has opened stays and stays guarded.": (
        "**{name}** bir sonraki isteğinden itibaren geri çevrilir. Açtıkları kalır ve korunmaya devam eder."
    ),
    "Revoke token": "Belirteci iptal et",
    "The token is revoked.": "Belirteç iptal edildi.",
    "Make a token": "Belirteç oluştur",
    "Days until it ends": "Kaç gün geçerli",
    "What it may do": "Neye izni var",
    "Look at everything.": "Her şeyi görür.",
    "Look; open, change and close positions.": "Görür; pozisyon açar, değiştirir, kapatır.",
    "All of it; start and stop the bot, set its level.": "Hepsi; botu başlatır, durdurur, seviyesini belirler.",
    "Make token": "Oluştur",
    "Copy it now: it is not stored and is never shown again.": ("Şimdi kopyalayın: saklanmaz ve bir daha gösterilmez."),
    "I have copied it": "Kopyaladım",
    "Token, for the header Authorization: Bearer": "Belirteç, Authorization: Bearer başlığı için",
    "Signal secret, for the text of an alert: it opens the door for signals only": (
        "Sinyal parolası, alarm metni için: yalnızca sinyal kapısını açar"
    ),
    "read": "okuma",
    "trade": "işlem",
    "admin": "yönetim",
    # backup.py
    "Backup": "Yedek",
    "Behind": "Geride",
    "Last written": "Son yazma",
    "The backup could not be written: {words}. Trading does not wait for it; it is tried again by itself.": (
        "Yedek yazılamadı: {words}. İşlemler bunu beklemez; kendiliğinden yeniden denenir."
    ),
    "nothing": "hiçbir şey",
    "not complete yet": "henüz tamamlanmadı",
    "{n} row": "{n} satır",
    "{n} rows": "{n} satır",
    # safety.py
    "Alarms": "Alarmlar",
    "Commands without an answer": "Yanıtsız komutlar",
    "Limits": "Limitler",
    "A guard only raises the level; lowering it is yours, and losses are then measured anew.": (
        "Koruyucu yalnızca seviyeyi sıkılaştırır; gevşetmek size aittir ve zararlar o andan itibaren yeniden ölçülür."
    ),
    "Connection": "Bağlantı",
    "After a restart": "Yeniden başlatma sonrası",
    "No alarm is open.": "Açık alarm yok.",
    "Each is asked for under its own id; nothing of the same purpose is sent meanwhile.": (
        "Her biri kendi kimliğiyle sorulur; bu sırada aynı amaçla hiçbir şey gönderilmez."
    ),
    "Every command has its answer.": "Her komutun yanıtı geldi.",
    "What raises the level by itself": "Seviyeyi kendiliğinden sıkılaştıranlar",
    "Limits of what may be opened": "Açılabileceklerin limitleri",
    "Not set: {names}.": "Ayarlanmamış: {names}.",
    "Change them in Settings": "Ayarlar'da değiştirin",
    "The bot has not looked at the exchange yet.": "Bot henüz borsaya bakmadı.",
    "Request limits": "İstek limitleri",
    "No restart is on record.": "Kayıtlı yeniden başlatma yok.",
    "Switch and level, who and when": "Bot ve seviye: kim, ne zaman",
    "Limit": "Limit",
    "Value": "Değer",
    "Requests used and allowed in two seconds": "İki saniyede kullanılan ve izin verilen istekler",
    "Nothing was switched yet.": "Henüz hiçbir şey değiştirilmedi.",
    "Level: {level}": "Seviye: {level}",
    "Order": "Emir",
    "Purpose": "Amaç",
    "Sent": "Gönderildi",
    "Changes of switch and level": "Bot ve seviye değişiklikleri",
    "When": "Ne zaman",
    "What": "Ne",
    "Who and why": "Kim ve neden",
    # settings.py
    "Remove this account?": "Bu hesap kaldırılsın mı?",
    "The keys of **{name}** are deleted here. Orders and positions at the exchange stay.": (
        "**{name}** anahtarları buradan silinir. Borsadaki emirler ve pozisyonlar kalır."
    ),
    "Remove account": "Hesabı kaldır",
    "Add an account": "Hesap ekle",
    "Where it lies": "Nerede duruyor",
    "All of it holds at once, for running parts too; a part may choose its own on Active Positions.": (
        "Hepsi hemen, açık parçalar için de geçerli olur; bir parça Aktif Pozisyonlar'da kendi ayarını seçebilir."
    ),
    "A guard only ever raises the level, says so with its numbers, and leaves taking it back to you.": (
        "Koruyucu seviyeyi yalnızca sıkılaştırır, bunu sayılarıyla bildirir ve geri almayı size bırakır."
    ),
    "Log in": "Giriş yap",
    "Accounts": "Hesaplar",
    "Bot": "Bot",
    "Recovery, reopen, limits": "Kurtarma, yeniden açma, limitler",
    "Guards and cadence": "Koruyucular ve sıklık",
    "Language and log-in": "Dil ve giriş",
    "Export and import": "Dışa ve içe aktarma",
    "Account {name} is added and chosen.": "{name} hesabı eklendi ve seçildi.",
    "Account {name} is removed.": "{name} hesabı kaldırıldı.",
    "Keys are encrypted before they are stored and are never shown again.": (
        "Anahtarlar saklanmadan önce şifrelenir ve bir daha gösterilmez."
    ),
    "This key may withdraw money. Make one that may only read and trade.": (
        "Bu anahtar para çekebilir. Yalnızca okuma ve işlem izni olan bir anahtar oluşturun."
    ),
    "never started": "hiç başlatılmadı",
    "Data folder": "Veri klasörü",
    "Database": "Veritabanı",
    "Environment": "Ortam",
    "Region": "Bölge",
    "Name": "Ad",
    "Exchange": "Borsa",
    "API key": "API anahtarı",
    "API secret": "API gizli anahtarı",
    "Passphrase": "Parola (passphrase)",
    "Since": "Başlangıç",
    "Level": "Seviye",
    "Heartbeat": "Kalp atışı",
    "Protected": "Korumalı",
    "Remove": "Kaldır",
    "Live trades with real money. Try the same on paper and demo first.": (
        "Canlı hesap gerçek parayla işlem yapar. Önce aynısını kağıt ve demo hesapta deneyin."
    ),
    "Type LIVE to go on": "Devam etmek için LIVE yazın",
    "Only for a key that may withdraw: type I ACCEPT THE RISK": (
        "Yalnızca para çekebilen anahtar için: I ACCEPT THE RISK yazın"
    ),
    "Check keys": "Anahtarları sına",
    "Add account": "Hesabı ekle",
    "Better: make a key that may read and trade and nothing else.": (
        "Daha iyisi: yalnızca okuyan ve işlem yapan bir anahtar oluşturun."
    ),
    "Demo": "Demo",
    "Live, real money": "Canlı, gerçek para",
    # account_keys.py
    "key ending in {hint}": "sonu {hint} olan anahtar",
    "may read": "okuyabilir",
    "may trade": "işlem yapabilir",
    "may withdraw": "para çekebilir",
    "no key needed": "anahtar gerekmez",
    "Test keys": "Anahtarları sına",
    "The secret that seals the keys": "Anahtarları mühürleyen gizli sözcük",
    "A new secret is made in the data folder and every stored key is sealed anew; nothing is lost on the way.": (
        "Veri klasöründe yeni bir gizli sözcük oluşturulur ve saklı tüm anahtarlar yeniden mühürlenir; hiçbir "
        "şey kaybolmaz."
    ),
    "Change the secret": "Gizli sözcüğü değiştir",
    "Back-ups of the data folder made before open with the earlier secret only: make a new one afterwards.": (
        "Önceki veri klasörü yedekleri yalnızca eski gizli sözcükle açılır: sonrasında yeni bir yedek alın."
    ),
    "from the environment (OKX_DEMO_API_KEY …)": "ortam değişkenlerinden (OKX_DEMO_API_KEY …)",
    "from the encrypted database": "şifreli veritabanından",
    "made up by the paper exchange": "kağıt borsa tarafından üretilmiş",
    "no keys stored": "saklı anahtar yok",
    "Binding the key to this machine's IP address at the exchange makes a stolen key worthless.": (
        "Anahtarı borsada bu makinenin IP adresine bağlamak, çalınan bir anahtarı işe yaramaz kılar."
    ),
    "The keys of {n} account are sealed anew.": "{n} hesabın anahtarları yeniden mühürlendi.",
    "The keys of {n} accounts are sealed anew.": "{n} hesabın anahtarları yeniden mühürlendi.",
    "May trade": "İşlem yapabilir",
    "May withdraw": "Para çekebilir",
    "Bound to addresses": "IP adresine bağlı",
    "Position mode": "Pozisyon modu",
    "Clock": "Saat",
    "{s} s ahead of ours": "bizimkinden {s} sn ileride",
    "Equity, USDT": "Özkaynak, USDT",
    "yes": "evet",
    "no": "hayır",
    "yes, make another key": "evet, başka bir anahtar oluşturun",
    "no, it works from anywhere": "hayır, her yerden çalışır",
    "long and short apart": "long ve short ayrı",
    "one side at a time": "bir seferde tek yön",
    "Change the secret?": "Gizli sözcük değiştirilsin mi?",
    # again.py
    "While PnL is under {trigger} USDT, {add} USDT are added each {pause} s; then the whole aims at {tp} "
    "and stops at {sl} USDT.": (
        "PnL {trigger} USDT altındayken her {pause} sn'de {add} USDT eklenir; sonra tümü için TP {tp}, SL {sl} "
        "USDT olur."
    ),
    "{n} min after: {reasons}.": "Şunlardan {n} dk sonra: {reasons}.",
    "Adds while PnL is under, USDT": "PnL bunun altındayken ekler, USDT",
    "Adds position value, USDT": "Eklenen pozisyon değeri, USDT",
    "Then take-profit, USDT": "Sonraki TP, USDT",
    "Then stop-loss, USDT": "Sonraki SL, USDT",
    "Steps at most": "En fazla adım",
    "No step beyond a loss of, USDT": "Bu zarardan sonra adım yok, USDT",
    "Waits, minutes": "Bekleme, dakika",
    "Cycles at most": "En fazla döngü",
    "Ends after losing, USDT": "Bu zarardan sonra biter, USDT",
    "no limit": "limitsiz",
    "Recovery is off.": "Kurtarma kapalı.",
    "It is not opened again.": "Yeniden açılmaz.",
    "{n} step taken": "{n} adım atıldı",
    "{n} steps taken": "{n} adım atıldı",
    "adds {n} USDT": "{n} USDT ekler",
    "due now": "şimdi sırada",
    "the next is due at this price": "bu fiyatta sonrakinin zamanı geldi",
    "At most {n} steps.": "En fazla {n} adım.",
    "At most {n} cycles.": "En fazla {n} döngü.",
    "Not after a loss of {n} USDT.": "{n} USDT zarardan sonra değil.",
    "of at most {n}": "en fazla {n} üzerinden",
    "next at {p} ({away}, {left} USDT to go)": "sonraki {p} seviyesinde ({away}, {left} USDT kaldı)",
    "As in Settings": "Ayarlar'daki gibi",
    "On": "Açık",
    "Off": "Kapalı",
    "Closed here": "Buradan kapatıldı",
    "Closed by hand at the exchange": "Borsada elle kapatıldı",
    "Liquidation": "Likidasyon",
    "Deleveraging": "ADL",
    "Never entered": "Giriş olmadı",
    "Not known": "Bilinmiyor",
    # bulk.py
    "What to do": "Ne yapılsın",
    "Close for good": "Kalıcı olarak kapat",
    "Close and reopen later": "Kapat, sonra yeniden aç",
    "**{n} of {m} parts**": "**{n} / {m} parça**",
    "Done": "Tamam",
    "No part is open any more.": "Açık parça kalmadı.",
    "Keep for later cycles": "Sonraki döngülerde de kalsın",
    "Save for {n} part": "{n} parça için kaydet",
    "Save for {n} parts": "{n} parça için kaydet",
    "Type a take-profit or a stop-loss first.": "Önce bir TP ya da SL yazın.",
    "before the fee": "komisyondan önce",
    "Several parts at once": "Birden fazla parça",
    "Take-profit in": "TP birimi",
    "Stop-loss in": "SL birimi",
    "Fees, USDT": "Komisyonlar, USDT",
    "estimated": "tahmini",
    "as it is": "olduğu gibi",
    # choose.py
    "Reopen": "Yeniden açma",
    "Opens again after": "Yeniden açılma nedeni",
    # dialogs.py
    "Take-profit and stop-loss": "TP ve SL",
    "They hold from the bot's next look, also for this cycle.": (
        "Botun bir sonraki bakışından itibaren, bu döngü için de geçerli."
    ),
    "Save": "Kaydet",
    "This part is no longer open; there is nothing to edit.": "Bu parça artık açık değil; düzenlenecek bir şey yok.",
    "A stop-loss in USDT or % is a loss with either sign. The old levels rest until the new ones do.": (
        "USDT ya da % ile verilen SL, işareti ne olursa olsun zarardır. Yenileri konana kadar eski seviyeler kalır."
    ),
    "This part holds nothing any more.": "Bu parçada pozisyon kalmadı.",
    "Contracts to close": "Kapatılacak kontrat",
    "Close {n}": "{n} kapat",
    "Later is {n} minutes after it is closed, in the same record.": (
        "Sonra: kapandıktan {n} dakika sonra, aynı kayıtta."
    ),
    "Reopening is off for this part, so it stays closed.": (
        "Bu parça için yeniden açma kapalı, bu yüzden kapalı kalır."
    ),
    "Size": "Büyüklük",
    "Otherwise they hold for this cycle, until its next recovery step.": (
        "Yoksa bu döngüde, bir sonraki kurtarma adımına kadar geçerli."
    ),
    "Reopen now": "Şimdi yeniden aç",
    "Cancel the reopen": "Yeniden açmayı iptal et",
    # differences.py
    "Ignored until it changes.": "Değişene kadar yok sayılıyor.",
    "Waits for the fill; nothing is added there meanwhile.": (
        "Gerçekleşme bekleniyor; bu sırada oraya ekleme yapılmaz."
    ),
    "Is being booked at the mark price.": "Mark fiyattan deftere işleniyor.",
    "Until this is answered nothing is opened or enlarged there.": (
        "Bu yanıtlanana kadar orada hiçbir şey açılmaz ve büyütülmez."
    ),
    "Differences": "Farklar",
    "No part is held there that could take them.": "Orada bunları alabilecek açık parça yok.",
    "From now on the bot guards them like a part of its own. What they cost before is not counted.": (
        "Bundan sonra bot bunları kendi parçası gibi korur. Önceki maliyetleri sayılmaz."
    ),
    "Strategy": "Strateji",
    "Recover it like other parts": "Diğer parçalar gibi kurtar",
    "Open it again after it has ended": "Bittikten sonra yeniden aç",
    "Adopt": "Sahiplen",
    "The part then holds {n} contracts more, from about {price}; its take-profit and stop-loss are "
    "reckoned anew and guard the whole.": (
        "Parça böylece yaklaşık {price} fiyatından {n} kontrat fazla tutar; TP ve SL yeniden hesaplanır ve "
        "tümünü korur."
    ),
    "Assign": "Ata",
    "Contracts that are not ours": "Bizim olmayan kontratlar",
    "Contracts of ours are gone": "Bizim kontratlar eksilmiş",
    "Orders that are not ours": "Bizim olmayan emirler",
    "The account is one-way": "Hesap tek yönlü (one-way) modda",
    "Another leverage": "Farklı kaldıraç",
    "Ignore": "Yok say",
    "Book it at the mark now": "Şimdi mark fiyattan işle",
    "Wait": "Bekle",
    "The exchange and the book agree.": "Borsa ile defter birbirini tutuyor.",
    "{n} contracts of {symbol} {side} are not ours; nothing is added there until that is answered.": (
        "{symbol} {side} pozisyonunda {n} kontrat bizim değil; bu yanıtlanana kadar oraya ekleme yapılmaz."
    ),
    "Our book": "Bizim defter",
    "The exchange": "Borsa",
    "For": "Süre",
    "Adopt as a new part": "Yeni parça olarak sahiplen",
    "Contracts": "Kontrat",
    "Opened at about": "Yaklaşık giriş",
    "Assign to a part": "Bir parçaya ata",
    # display.py
    "As the browser: {zone}": "Tarayıcıdaki gibi: {zone}",
    "Language": "Dil",
    "Time zone": "Saat dilimi",
    "Times on all pages and in CSV files are shown in it. The database keeps UTC.": (
        "Tüm sayfalarda ve CSV dosyalarında saatler bu dilimde gösterilir. Veritabanı UTC tutar."
    ),
    # figures.py
    "never": "hiç",
    "s": "sn",
    "min": "dk",
    "h": "sa",
    "d": "g",
    "{age} ago": "{age} önce",
    # forms.py
    "Market": "Piyasa",
    "USDT": "USDT",
    "Price": "Fiyat",
    # gate.py
    "This form was sent from another site. Open the dashboard itself and try again.": (
        "Bu form başka bir siteden gönderildi. Paneli kendi adresinden açıp yeniden deneyin."
    ),
    "Enter the password.": "Parolayı girin.",
    "Log in first.": "Önce giriş yapın.",
    # ladders.py
    "If everything goes wrong you lose **{loss} USDT** ({share} % of equity).": (
        "Her şey ters giderse **{loss} USDT** kaybedersiniz (özkaynağın %{share} kadarı)."
    ),
    "If everything goes wrong, nothing but the liquidation limits what you lose.": (
        "Her şey ters giderse kaybınızı likidasyondan başka hiçbir şey sınırlamaz."
    ),
    "If everything goes wrong you lose **{loss} USDT** ({share} % of equity) by step {n}, and the fees of "
    "each further step.": (
        "Her şey ters giderse {n}. adıma kadar **{loss} USDT** kaybedersiniz (özkaynağın %{share} kadarı); "
        "sonraki her adımın komisyonu da eklenir."
    ),
    "If everything goes wrong you lose **{loss} USDT**.": "Her şey ters giderse **{loss} USDT** kaybedersiniz.",
    "Recovery is off for this position.": "Bu pozisyon için kurtarma kapalı.",
    "It ends after the steps that are allowed at most.": "İzin verilen en fazla adımdan sonra biter.",
    "It ends where the stop-loss is met before the next step.": "Bir sonraki adımdan önce SL çalıştığı yerde biter.",
    "It ends where the loss is larger than recovery may try to recover.": (
        "Zarar, kurtarmanın deneyebileceğini aştığında biter."
    ),
    "It ends where no margin is free for another step.": "Bir adım daha için boş marjin kalmadığında biter.",
    "It ends where your own limits on orders refuse the next step.": (
        "Kendi emir limitleriniz sonraki adımı reddettiğinde biter."
    ),
    "It ends because one step is less than the smallest order.": "Bir adım en küçük emirden az olduğu için biter.",
    "No price gets to the trigger.": "Hiçbir fiyat tetiğe ulaşmıyor.",
    "Only the first {n} steps are shown: nothing limits their number.": (
        "Yalnızca ilk {n} adım gösteriliyor: sayılarını sınırlayan bir şey yok."
    ),
    "Step": "Adım",
    "Adds": "Ekler",
    "Average": "Ortalama",
    "Margin": "Marjin",
    "A step moves the average and not the PnL: where the price stands still, the next one follows after "
    "{n} s at the same price.": (
        "Adım ortalamayı değiştirir, PnL'i değil: fiyat yerinde durursa bir sonraki adım {n} sn sonra aynı "
        "fiyattan gelir."
    ),
    "Losses count the stop, all fees and the spread of now; slippage and funding come on top.": (
        "Zararlar SL'yi, tüm komisyonları ve şimdiki makası içerir; kayma ve fonlama bunlara eklenir."
    ),
    # levels.py
    "Loss of one day": "Günlük zarar",
    "Fall from the peak": "Zirveden düşüş",
    "Stop-losses within a time": "Belirli sürede SL sayısı",
    "Nothing seen for": "Veri gelmeyen süre",
    "Turned away by the exchange for": "Borsanın reddettiği süre",
    "by itself": "kendiliğinden",
    "by {who}": "{who} tarafından",
    "Why": "Neden",
    "Run": "Çalış",
    "Pause entries": "Yeni girişleri durdur",
    "Also pause recovery and reopen": "Kurtarma ve yeniden açmayı da durdur",
    "Reduce only": "Yalnızca azalt",
    "Flatten": "Hepsini kapat",
    "Everything is allowed.": "Her şeye izin var.",
    "Nothing new is opened; recovery and reopen go on.": "Yeni pozisyon açılmaz; kurtarma ve yeniden açma sürer.",
    "Nothing is opened, recovered or reopened; what rests stays.": (
        "Hiçbir şey açılmaz, kurtarılmaz, yeniden açılmaz; bekleyen emirler kalır."
    ),
    "Nothing that adds risk is sent, and resting entries are withdrawn.": (
        "Risk artıran hiçbir şey gönderilmez, bekleyen girişler geri çekilir."
    ),
    "Resting entries are withdrawn and all our parts are closed at market.": (
        "Bekleyen girişler geri çekilir ve tüm parçalarımız piyasadan kapatılır."
    ),
    "{n} part that was asked for waits.": "İstenen {n} parça bekler.",
    "{n} parts that were asked for wait.": "İstenen {n} parça bekler.",
    "{n} held part is not recovered.": "Açık {n} parça kurtarılmaz.",
    "{n} held parts are not recovered.": "Açık {n} parça kurtarılmaz.",
    "{n} ended part that is due to open again waits.": "Yeniden açılacak {n} parça bekler.",
    "{n} ended parts that are due to open again wait.": "Yeniden açılacak {n} parça bekler.",
    "{n} resting entry is withdrawn.": "Bekleyen {n} giriş emri geri çekilir.",
    "{n} resting entries are withdrawn.": "Bekleyen {n} giriş emri geri çekilir.",
    "The bot is stopped: nothing is withdrawn or closed until it is started.": (
        "Bot durduruldu: başlatılana kadar hiçbir şey geri çekilmez ya da kapatılmaz."
    ),
    "Fee, USDT": "Komisyon, USDT",
    "Guard": "Koruyucu",
    "Now": "Şimdi",
    "Set off": "Tetiklendi",
    "Estimated at the newest mark price and the taker fee; the market decides.": (
        "En son mark fiyat ve taker komisyonuyla tahmin; son sözü piyasa söyler."
    ),
    "Shown in the banner and kept in the events": "Üst bantta gösterilir, olaylarda saklanır",
    "The level is set. It stays over restarts.": "Seviye ayarlandı. Yeniden başlatmalarda da kalır.",
    "{n} part is closed at market.": "{n} parça piyasadan kapatılır.",
    "{n} parts are closed at market.": "{n} parça piyasadan kapatılır.",
    "Nothing of ours is held.": "Bize ait pozisyon yok.",
    "What is not ours stays: it is on {n} positions.": "Bizim olmayan kalır: {n} pozisyonda.",
    "{n} held part keeps its stop and target.": "Açık {n} parça SL ve TP'sini korur.",
    "{n} held parts keep their stops and targets.": "Açık {n} parça SL ve TP'lerini korur.",
    "not known yet": "henüz bilinmiyor",
    "off": "kapalı",
    "What would be closed": "Kapatılacaklar",
    "Together, USDT": "Toplam, USDT",
    "Set the level?": "Seviye değiştirilsin mi?",
    # login_page.py
    "The bot goes on by itself, also while nobody is logged in.": (
        "Bot, kimse giriş yapmamışken de kendi başına çalışır."
    ),
    "Password": "Parola",
    # login_settings.py
    "The password is set by PERPDECK_PASSWORD. Change it there and start Perpdeck again.": (
        "Parola PERPDECK_PASSWORD ile belirlenmiş. Orada değiştirip Perpdeck'i yeniden başlatın."
    ),
    "A password is asked for.": "Parola soruluyor.",
    "No password is asked for: whoever uses this machine can trade here. Others cannot reach it.": (
        "Parola sorulmuyor: bu makineyi kullanan herkes burada işlem yapabilir. Başkaları erişemez."
    ),
    "New password": "Yeni parola",
    "The same again": "Yeni parola, tekrar",
    "8 characters or more. Setting it ends every session: log in with the new one.": (
        "En az 8 karakter. Parola değişince tüm oturumlar biter: yenisiyle giriş yapın."
    ),
    "Present password": "Şimdiki parola",
    "Change password": "Parolayı değiştir",
    "Set password": "Parola belirle",
    "Log out": "Çıkış yap",
    "Ask for none": "Parola sorma",
    "Log in with the new password": "Yeni parolayla giriş yap",
    # narrowing.py
    "Filters": "Filtreler",
    "Days": "Günler",
    "Clear filters": "Filtreleri temizle",
    "all": "tümü",
    "both": "ikisi de",
    "Close reason": "Kapanma nedeni",
    # parts.py
    "Opens again in **{left}** · last cycle: {reason}": "**{left}** sonra yeniden açılır · son döngü: {reason}",
    "Not entered: {why}": "Girilemedi: {why}",
    "Waits to reopen": "Yeniden açılmayı bekliyor",
    "on": "açık",
    "{words}, own": "{words}, kendine özel",
    "{covered} of {size}": "{covered} / {size}",
    "Value, USDT": "Değer, USDT",
    "Cycle": "Döngü",
    "Asked": "İstendi",
    "Closing": "Kapanıyor",
    "Open": "Açık",
    "Closed": "Kapandı",
    "Stop for": "SL kapsamı",
    "Stop at": "SL seviyesi",
    "Stop away": "SL uzaklığı",
    "Target for": "TP kapsamı",
    "Target at": "TP seviyesi",
    "Target away": "TP uzaklığı",
    "Seen": "Görüldü",
    "Bare today": "Bugün korumasız",
    "{n} s": "{n} sn",
    "entry": "giriş",
    "TP": "TP",
    "SL": "SL",
    "recovery": "kurtarma",
    # past.py
    "cycle {n}": "döngü {n}",
    "The exchange's history is here up to {time}.": "Borsa geçmişi {time} anına kadar alındı.",
    "Deepest fall of the curve below: {percent} % of its peak.": (
        "Aşağıdaki eğrinin en derin düşüşü: zirvesinin %{percent} kadarı."
    ),
    "Reading the exchange's history: {done} of {of}": "Borsa geçmişi okunuyor: {done} / {of}",
    "Asked for; the bot begins with it in a moment.": "İstendi; bot birazdan başlar.",
    "The exchange's history has not been read yet.": "Borsa geçmişi henüz okunmadı.",
    "Deepest fall of the curve below from an earlier peak.": "Aşağıdaki eğrinin önceki zirveden en derin düşüşü.",
    "Time": "Zaman",
    "Taken over": "Devralındı",
    "TP/SL edited": "TP/SL düzenlendi",
    "TP/SL moved at the exchange": "TP/SL borsada değiştirildi",
    "Partial close": "Kısmi kapama",
    "Try again, with an alarm": "Alarm ver ve yeniden dene",
    "Try again, then close at market": "Yeniden dene, sonra piyasadan kapat",
    "Only raise an alarm": "Yalnızca alarm ver",
    "Ask me each time": "Her seferinde bana sor",
    "Closed by hand on a shared position": "Ortak pozisyonda elle kapatıldı",
    "By their size": "Büyüklüğe göre",
    "The oldest first": "Önce en eski",
    "The newest first": "Önce en yeni",
    "Brought back": "Geri alındı",
    "Exit": "Çıkış",
    "Ended": "Bitti",
    "Match": "Eşleşme",
    "Life": "Ömür",
    "Agrees": "Tutuyor",
    "Differs": "Farklı",
    "Still held": "Hâlâ açık",
    "Not told by the exchange": "Borsa bildirmedi",
    "Agree to the cent": "Kuruşu kuruşuna tutan",
    "Differ": "Farklı olan",
    "Difference, USDT": "Fark, USDT",
    "Not told": "Bildirilmeyen",
    "Net, USDT": "Net, USDT",
    "After fees and funding.": "Komisyon ve fonlamadan sonra.",
    "Win rate": "Kazanma oranı",
    "{won} of {n} cycles ended above zero.": "{n} döngünün {won} tanesi artıda bitti.",
    "Profit factor": "Kâr faktörü",
    "All gains over all losses; none without a loss.": "Tüm kazançlar bölü tüm kayıplar; kayıp yoksa hesaplanmaz.",
    "Expectancy, USDT": "Beklenti, USDT",
    "Mean net result of a cycle.": "Bir döngünün ortalama net sonucu.",
    "Sharpe": "Sharpe",
    "Daily results, mean over deviation, for a year of 365 days.": (
        "Günlük sonuçların ortalaması bölü sapması, 365 günlük yıl için."
    ),
    "Sortino": "Sortino",
    "As Sharpe, with losing days alone as the risk.": "Sharpe gibi; risk olarak yalnızca kayıp günleri alır.",
    "Drawdown, USDT": "Düşüş, USDT",
    "Group": "Grup",
    "With recovery": "Kurtarmalı",
    "Without recovery": "Kurtarmasız",
    "By contract": "Sözleşmeye göre",
    "By side": "Yöne göre",
    "By strategy": "Stratejiye göre",
    "By close reason": "Kapanma nedenine göre",
    "By recovery": "Kurtarmaya göre",
    # preferences.py
    "Allowed: {range}.": "İzin verilen: {range}.",
    "Recovery, reopen, limits, guards and cadence as one file. It holds no keys and no password.": (
        "Kurtarma, yeniden açma, limitler, koruyucular ve sıklık tek dosyada. Anahtar ve parola içermez."
    ),
    "Export settings": "Ayarları dışa aktar",
    "Import settings": "Ayarları içe aktar",
    "Saved. It holds from the bot's next look, for running parts too.": (
        "Kaydedildi. Botun bir sonraki bakışından itibaren, açık parçalar için de geçerli."
    ),
    "Import all of it": "Hepsini içe aktar",
    "Imported. It holds from the bot's next look, for running parts too.": (
        "İçe aktarıldı. Botun bir sonraki bakışından itibaren, açık parçalar için de geçerli."
    ),
    "The file says what is set already: nothing would change.": (
        "Dosya zaten ayarlı olanı içeriyor: hiçbir şey değişmez."
    ),
    "What the import would change": "İçe aktarmanın değiştirecekleri",
    "Setting": "Ayar",
    "Then": "Sonra",
    # previews.py
    "No price is known just now; the figures follow with the next one.": (
        "Şu anda bilinen bir fiyat yok; rakamlar bir sonraki fiyatla gelir."
    ),
    "price not known yet": "fiyat henüz bilinmiyor",
    "price {ago}": "fiyat {ago}",
    "Worst loss": "En kötü zarar",
    "after rounding to whole steps": "tam adımlara yuvarlandıktan sonra",
    "Margin, USDT": "Marjin, USDT",
    "at {n}x": "{n}x ile",
    "in and out, estimated": "giriş ve çıkış, tahmini",
    "Worst loss, USDT": "En kötü zarar, USDT",
    "stop and fees, without slippage": "SL ve komisyonlar, kayma hariç",
    "not expected": "beklenmiyor",
    "none: nothing limits the loss": "yok: zararı sınırlayan bir şey yok",
    "not limited": "sınırsız",
    "your limit": "sizin limitiniz",
    # records.py
    "PnL before fees, USDT": "Komisyon öncesi PnL, USDT",
    "Cycles won": "Kazanan döngü",
    "Recoveries": "Kurtarmalar",
    "Reason": "Neden",
    "In words": "Açıklama",
    "Started": "Başladı",
    "Maker": "Maker",
    "Fill id": "Gerçekleşme no",
    "Id": "No",
    "Rule": "Kural",
    "Because": "Gerekçe",
    "Action": "Eylem",
    "Outcome": "Sonuç",
    "maker": "maker",
    "taker": "taker",
    # rows.py
    "{value} USDT asked": "{value} USDT istendi",
    "{n}/{m} protected": "{n}/{m} korumalı",
    "{n} position rests on exchange-side protection alone: nothing is opened, moved or repaired.": (
        "{n} pozisyon yalnızca borsadaki korumayla duruyor: hiçbir şey açılmaz, taşınmaz ya da onarılmaz."
    ),
    "{n} positions rest on exchange-side protection alone: nothing is opened, moved or repaired.": (
        "{n} pozisyon yalnızca borsadaki korumayla duruyor: hiçbir şey açılmaz, taşınmaz ya da onarılmaz."
    ),
    "No stop": "SL yok",
    "Long": "Long",
    "Short": "Short",
    "{n} contract": "{n} kontrat",
    "{n} contracts": "{n} kontrat",
    "Opening": "Açılıyor",
    "Refused": "Reddedildi",
    "part {part}": "parça {part}",
    "cycle {cycle}": "döngü {cycle}",
    "{seconds} s without a stop today": "bugün {seconds} sn SL'siz",
    "Nothing is held, so nothing is left unwatched.": "Açık pozisyon yok, yani gözetimsiz kalan bir şey yok.",
    "Stop for {covered} of {size}": "SL: {covered} / {size}",
    "nothing is held": "pozisyon yok",
    "not seen yet": "henüz görülmedi",
    "seen {ago}": "{ago} görüldü",
    "Available, USDT": "Kullanılabilir, USDT",
    "Floating PnL, USDT": "Açık PnL, USDT",
    "Margin used, USDT": "Kullanılan marjin, USDT",
    "{share} of equity": "özkaynağın {share} kadarı",
    "since {ago}": "başlangıç {ago}",
    "fees {fees}": "komisyon {fees}",
    "mark {p}": "mark {p}",
    "Exchange: {words}": "Borsa: {words}",
    "Price and order stream: {words}": "Fiyat ve emir akışı: {words}",
    "Database: {words}": "Veritabanı: {words}",
    "Stream": "Akış",
    "heard {ago}": "{ago} alındı",
    "Request": "İstek",
    "Used": "Kullanılan",
    "Allowed": "İzin verilen",
    "{n} open position will rest on its stop and target at the exchange alone.": (
        "{n} açık pozisyon yalnızca borsadaki SL ve TP ile kalacak."
    ),
    "{n} open positions will rest on their stops and targets at the exchange alone.": (
        "{n} açık pozisyon yalnızca borsadaki SL ve TP ile kalacak."
    ),
    "{n} part has no stop at the exchange: after the stop nothing guards it.": (
        "{n} parçanın borsada SL'si yok: bot durunca onu hiçbir şey korumaz."
    ),
    "{n} parts have no stop at the exchange: after the stop nothing guards them.": (
        "{n} parçanın borsada SL'si yok: bot durunca onları hiçbir şey korumaz."
    ),
    "none wanted": "istenmedi",
    "set once the entry fills": "giriş gerçekleşince konur",
    "Stop and target": "SL ve TP",
    "Stop": "SL",
    "LIVE": "CANLI",
    "Not protected": "Korumasız",
    # sizing.py
    "**{value} USDT** of position lose {risk} USDT at {p}.": (
        "**{value} USDT** pozisyon {p} seviyesinde {risk} USDT kaybeder."
    ),
    "Use this size": "Bu büyüklüğü kullan",
    "Size by risk": "Riske göre büyüklük",
    "Stop at price": "SL fiyatı",
    "Type what you are ready to lose and where the stop lies; fees are counted in.": (
        "Kaybetmeyi göze aldığınızı ve SL'nin yerini yazın; komisyonlar dahildir."
    ),
    "The stop must lie on the losing side of the entry at {p}.": "SL, {p} girişinin zarar tarafında olmalı.",
    "I may lose": "Kaybedebileceğim",
    "% of equity": "özkaynağın %'si",
    # switch.py
    "Start bot": "▶️ Botu Başlat",
    "No order is cancelled and nothing is closed. Until Start nothing is opened and nothing repaired.": (
        "Hiçbir emir iptal edilmez, hiçbir şey kapatılmaz. Başlatılana kadar hiçbir şey açılmaz ve onarılmaz."
    ),
    "Stop bot": "Botu Durdur",
    "Press Start bot to trade.": "İşlem için ▶️ Botu Başlat'a basın.",
    "The bot is stopped. Stops and targets at the exchange stay.": (
        "Bot durduruldu. Borsadaki SL ve TP emirleri kalır."
    ),
    "The bot is stopped": "Bot durduruldu",
    "The bot does not answer": "Bot yanıt vermiyor",
    "Stop the bot?": "Bot durdurulsun mu?",
    # widgets.py
    "The numbers below are {age} old and may no longer be true. What rests on the exchange goes on "
    "guarding your positions.": (
        "Aşağıdaki sayılar {age} öncesine ait, artık doğru olmayabilir. Borsada bekleyen emirler "
        "pozisyonlarınızı korumaya devam ediyor."
    ),
    "The bot tries again by itself; Safety shows why.": "Bot kendiliğinden yeniden dener; nedeni Güvenlik'te.",
    "Start the bot to read them anew.": "Yeniden okumak için botu başlatın.",
    "The last click was not carried out": "Son tıklama yerine getirilmedi",
    "Bot running": "Bot çalışıyor",
    "Bot starting": "Bot başlıyor",
    "Bot stopped": "Bot durdu",
    "Bot runs elsewhere": "Bot başka yerde çalışıyor",
    "Bot does not answer": "Bot yanıt vermiyor",
    "Seen on the exchange {age} ago": "Borsada {age} önce görüldü",
    "Stale picture": "Bayat görüntü",
    "{what}\n\nStops and targets that rest on the exchange go on guarding your positions. This page tries "
    "again by itself; if it stays away, look at the terminal in which Perpdeck runs.": (
        "{what}\n\nBorsada bekleyen SL ve TP emirleri pozisyonlarınızı korumaya devam ediyor. Bu sayfa "
        "kendiliğinden yeniden dener; düzelmezse Perpdeck'in çalıştığı terminale bakın."
    ),
    "This could not be read just now": "Bu şu anda okunamadı",
    "Something is set up in a way that cannot work": "Bir şey çalışamayacak şekilde ayarlanmış",
    "No answer": "Yanıt yok",
    # sides.py
    "Among them is real money: {names}.": "Aralarında gerçek para var: {names}.",
    "Start all": "Hepsini başlat",
    "Stop all": "Hepsini durdur",
    "{n} bot starts.": "{n} bot başlıyor.",
    "{n} bots start.": "{n} bot başlıyor.",
    "{n} bot is stopped.": "{n} bot durduruldu.",
    "{n} bots are stopped.": "{n} bot durduruldu.",
    "Start every bot?": "Bütün botlar başlatılsın mı?",
    "Stop every bot?": "Bütün botlar durdurulsun mu?",
    # together.py
    "{n} account": "{n} hesap",
    "{n} accounts": "{n} hesap",
    "{n} not seen yet": "{n} tanesi henüz görülmedi",
    "Paper": "Kağıt",
    "PnL today, USDT": "Bugünkü PnL, USDT",
    "since midnight UTC, deposits counted in": "UTC gece yarısından beri, yatırılanlar dahil",
    "parts that hold something": "bir şey tutan parçalar",
    "Conditional orders": "Koşullu emirler",
    "This account": "Bu hesap",
    "All accounts": "Tüm hesaplar",
    "On the exchanges": "Borsalarda",
    "Open positions of all accounts": "Tüm hesapların açık pozisyonları",
    "To edit or close something, choose its account in the sidebar.": (
        "Bir şeyi düzenlemek ya da kapatmak için kenar çubuğundan hesabını seçin."
    ),
    "The numbers of {names} may no longer be true: see that account.": (
        "{names} hesabının sayıları artık doğru olmayabilir: o hesaba bakın."
    ),
    # ledger.py
    "Parts ledger": "Parça defteri",
    "Parts of {symbol} and the exchange": "{symbol} parçaları ve borsa",
    "Own entry": "Kendi girişi",
    "Realised, USDT": "Gerçekleşen, USDT",
    "Pair": "Çift",
    "Sum of the parts": "Parçaların toplamı",
    "Residual": "Kalan",
    "{n} part": "{n} parça",
    "{n} parts": "{n} parça",
    "exchange {n} at {p}": "borsada {p} ortalamayla {n}",
    "adds up": "toplam tutuyor",
    "{n} not ours": "{n} bizim değil",
    "{n} of ours missing": "bizden {n} eksik",
    "A part's result is reckoned from its own entry, never from the exchange's average.": (
        "Bir parçanın sonucu kendi girişinden hesaplanır, asla borsanın ortalamasından değil."
    ),
    "What somebody closes here comes off: {rule}.": "Burada başkasının kapattığı şuradan düşülür: {rule}.",
    "Change the rule": "Kuralı değiştir",
    "Closed by others": "Başkalarının kapattıkları",
    # pairs.py
    "not placed": "konmadı",
    "both rest": "ikisi de bekliyor",
    "rests": "bekliyor",
    "stop only": "yalnız SL",
    "target only, no stop": "yalnız TP, SL yok",
    "nothing rests": "hiçbiri beklemiyor",
    "a leg is filling": "bir bacak gerçekleşiyor",
    "target filled": "TP gerçekleşti",
    "stop filled": "SL gerçekleşti",
    "both filled": "ikisi de gerçekleşti",
    "closed otherwise": "başka yolla kapandı",
    "{state}, the other still rests": "{state}, öbürü hâlâ bekliyor",
    "Pairs of take-profit and stop-loss": "TP ve SL çiftleri",
    "No part has a pair just now.": "Şu anda çifti olan parça yok.",
    "Stop since": "SL ne zamandır",
    "Target since": "TP ne zamandır",
    "Kept as": "Borsada",
    "two orders": "iki emir",
    "Pairs placed": "Konan çift",
    "Targets hit": "TP gerçekleşen",
    "Stops hit": "SL gerçekleşen",
    "Cancel p50 / p99": "İptal p50 / p99",
    "Orphans removed": "Kaldırılan sahipsiz emir",
    "Both filled": "İkisi de gerçekleşen",
    "of {n} sibling, fill to end": "{n} kardeş emir, gerçekleşmeden bitişe",
    "of {n} siblings, fill to end": "{n} kardeş emir, gerçekleşmeden bitişe",
    "the exchange ends siblings itself": "kardeş emri borsa kendisi bitirir",
    "{used} of at most {most} conditional orders rest.": "En fazla {most} koşullu emrin {used} tanesi bekliyor.",
    "Each position needs two; beyond the limit nothing is opened.": (
        "Her pozisyon iki tane ister; sınırın ötesinde bir şey açılmaz."
    ),
    # new_trade.py
    "As in Settings: {words}": "Ayarlardaki gibi: {words}",
    "Where the exchange refuses a stop-loss": "Borsa SL'i reddederse",
    (
        "Any name. Several strategies may hold the same contract and side: each is a part with its own entry, "
        "its own take-profit and stop-loss, and its own result."
    ): (
        "İstediğiniz ad. Birkaç strateji aynı sözleşmeyi ve yönü tutabilir: her biri kendi girişi, kendi TP ve SL'i "
        "ve kendi sonucu olan bir parçadır."
    ),
    "The smallest order here is {n} USDT.": "Buradaki en küçük emir {n} USDT.",
    "{exchange} takes no order under {n} USDT here.": "{exchange} burada {n} USDT altında emir almaz.",
    # paper_market.py
    "**Make {exchange} misbehave**": "**{exchange} aksasın**",
    "**Another hand in {account}**": "**{account} hesabında başka bir el**",
    "What it does": "Ne yapar",
    "closes at market": "piyasadan kapatır",
    "opens at market": "piyasadan açar",
    "the exchange liquidates": "borsa tasfiye eder",
    "the exchange deleverages": "borsa kaldıracı düşürür (ADL)",
    "Do it": "Yap",
    "all of it": "hepsi",
    "Done in {account}, past the bot.": "{account} hesabında, bot atlanarak yapıldı.",
    "Of the contract chosen above. The bot finds out as it would at a real exchange.": (
        "Yukarıda seçilen sözleşmede. Bot bunu gerçek bir borsada olduğu gibi kendisi fark eder."
    ),
    # settings.py
    "{exchange} demo": "{exchange} demo",
    "The one typed when the key was made, not the password of the log-in.": (
        "Anahtar oluşturulurken yazılan; giriş parolası değil."
    ),
    "Made inside OKX's demo trading; a key of the live account does not work there.": (
        "OKX'in demo işleminde oluşturulur; gerçek hesabın anahtarı orada çalışmaz."
    ),
    "Made at OKX under API, in the region in which the account was registered.": (
        "OKX'te API bölümünde, hesabın kayıtlı olduğu bölgede oluşturulur."
    ),
    "Allow reading and trading, never withdrawals.": "Okuma ve işleme izin verin, para çekmeye asla.",
    "Made on Binance's futures testnet (demo trading), which has an account of its own.": (
        "Binance vadeli test ağında (demo) oluşturulur; onun kendi hesabı vardır."
    ),
    "Made at Binance under API management; the futures account must be open before.": (
        "Binance'te API yönetiminde oluşturulur; önce vadeli hesap açılmış olmalıdır."
    ),
    "Allow reading and futures, never withdrawals; futures want the key bound to this machine's IP address.": (
        "Okuma ve vadeliye izin verin, para çekmeye asla; vadeli işlem, anahtarın bu makinenin IP adresine bağlı "
        "olmasını ister."
    ),
    # again.py
    "A step is worked so: {style}.": "Bir adım şöyle işlenir: {style}.",
    # choose.py
    "How a step is worked": "Bir adımın işlenme şekli",
    # dialogs.py
    "How": "Nasıl",
    "Close?": "Kapatılsın mı?",
    # previews.py
    "near {p}": "{p} civarı",
    "Reckoned as one order at the market price of now; the slices will fill at the prices of their times.": (
        "Şimdiki piyasa fiyatından tek emir gibi hesaplandı; dilimler kendi anlarının fiyatından dolacak."
    ),
    "Reckoned as one limit order at that price, or at our own side of the book of now.": (
        "O fiyattan, yoksa emir defterinin şimdiki bizim tarafımızdan tek limit emir gibi hesaplandı."
    ),
    # running.py
    "Finish now at market": "Şimdi piyasadan bitir",
    "This execution is over; there is nothing left to tell it.": "Bu işlem bitti; söylenecek bir şey kalmadı.",
    # runs.py
    "{words} · next in **{left}**": "{words} · sıradaki **{left}** sonra",
    "{rest} contracts are not ordered any more. The {filled} that have filled stay, and stay protected.": (
        "{rest} kontrat artık sipariş edilmez. Dolan {filled} kontrat kalır ve korunmaya devam eder."
    ),
    "{rest} contracts go at market at once, at whatever the book gives.": (
        "{rest} kontrat hemen piyasadan, defter ne verirse o fiyattan gider."
    ),
    "**{filled} of {planned}** contracts": "**{filled} / {planned}** kontrat",
    "{n} to go": "kalan {n}",
    "finishing at market; {words}": "piyasadan bitiriliyor; {words}",
    "Take the close back": "Kapatmayı geri al",
    "Take back the rest": "Kalanı geri al",
    (
        "{filled} contracts are closed and stay closed. The part goes on with what is left, with its "
        "take-profit and its stop-loss."
    ): ("{filled} kontrat kapandı ve kapalı kalır. Parça kalanla, TP ve SL'siyle devam eder."),
    "Recovery step": "Kurtarma adımı",
    "average {p}": "ortalama {p}",
    "rests at {p}": "{p} fiyatında bekliyor",
    # style_fields.py
    "Each slice rests at our own side of the book until the next is due, and may not fill.": (
        "Her dilim, sıradaki dilimin zamanına kadar emir defterinin bizim tarafımızda bekler ve dolmayabilir."
    ),
    "What it leaves over is closed at market; stop and target rest until it is flat.": (
        "Kalan piyasadan kapatılır; pozisyon sıfırlanana kadar SL ve TP yerinde bekler."
    ),
    "What is missing then": "Sonunda eksik kalan",
    "Slices as limit orders": "Dilimler limit emir olsun",
    # styles.py
    "is left": "bırakılır",
    "goes at market": "piyasadan gider",
    "own side of the book": "defterin bizim tarafı",
    "own side": "bizim taraf",
    "Time-out, minutes": "Zaman aşımı, dakika",
    "Moved after, seconds": "Taşıma süresi, saniye",
    "Gives way by at most, %": "En fazla verilen taviz, %",
    "Over, minutes": "Toplam süre, dakika",
    "needed": "gerekli",
    "Slices": "Dilim sayısı",
    "Differ by up to, %": "En fazla farklılık, %",
    "not at all": "hiç",
    "Shown at once, %": "Bir kerede görünen, %",
    "Placed anew after, seconds": "Yenilenme süresi, saniye",
    "Iceberg": "Iceberg",
    "One order that fills at once at the price of the moment.": "Anın fiyatından hemen dolan tek emir.",
    "One order that fills at its price or better, or not at all.": (
        "Kendi fiyatından ya da daha iyisinden dolan, yoksa hiç dolmayan tek emir."
    ),
    "Slices spread over time, so that the whole comes near the average price of that time.": (
        "Zamana yayılan dilimler; bütünü o sürenin ortalama fiyatına yaklaşır."
    ),
    "A limit order of which the book sees a share; the next share follows when it has filled.": (
        "Defterin yalnızca bir payını gördüğü limit emir; dolunca sıradaki pay gelir."
    ),
    "then the rest {does}": "sonra kalan {does}",
    "at market": "piyasadan",
    "for {span}": "{span} boyunca",
    "limit at {p}": "{p} limit",
    "moved after {span}, by {share} at most": "{span} sonra taşınır, en fazla {share}",
    "TWAP in {n} slices over {span}": "{span} içinde {n} dilimlik TWAP",
    "iceberg of {share} at {p}": "{p} fiyatında {share} görünen iceberg",
    "differing by up to {share}": "en fazla {share} farkla",
    "as limit orders": "limit emirlerle",
    "placed anew after {span}": "{span} sonra yenilenir",
    # records.py
    "Kind": "Tür",
    "Amount, USDT": "Tutar, USDT",
    "Decision": "Karar",
    "Order placed": "Emir kondu",
    "Order changed": "Emir değişti",
    "Order cancelled": "Emir iptal edildi",
    "Fill": "Gerçekleşme",
    "Position opened": "Pozisyon açıldı",
    "Position closed": "Pozisyon kapandı",
    "Refused by the risk control": "Risk kontrolü reddetti",
    # history.py
    "Everything as CSV": "Tümü CSV olarak",
    # safety.py
    "Risk checks": "Risk kontrolleri",
    "Each order that adds risk is checked before it is sent; its checks appear here.": (
        "Risk ekleyen her emir gönderilmeden önce kontrol edilir; kontrolleri burada görünür."
    ),
    "Risk checks, refusals first": "Risk kontrolleri, önce reddedilenler",
    "All checks of the last 24 hours": "Son 24 saatin tüm kontrolleri",
    "None was made.": "Hiç yapılmadı.",
    "How often each check was made": "Her kontrolün kaç kez yapıldığı",
    # risk_checks.py
    "Result": "Sonuç",
    "Times": "Kez",
    "Check": "Kontrol",
    "Let through": "Geçti",
    "let through": "geçti",
    "Asked for twice": "İki kez istendi",
    "Size of the order": "Emrin büyüklüğü",
    "Value of the order": "Emrin değeri",
    "Distance from the mark price": "Mark fiyattan uzaklık",
    "Value of the position": "Pozisyonun değeri",
    "Free balance": "Serbest bakiye",
    "Risk of one trade": "Tek işlemin riski",
    "Loss of the day": "Günün kaybı",
    "Open parts": "Açık parçalar",
    # alerts.py, alerts_more.py
    "Alerts": "Uyarılar",
    "What happens is told here, and wherever you want to hear it: Telegram, Discord, e-mail and some hundred other "
    "services. Addresses are encrypted and are never shown again.": (
        "Olanlar burada ve duymak istediğiniz her yerde bildirilir: Telegram, Discord, e-posta ve yüz kadar başka "
        "servis. Adresler şifrelenir ve bir daha gösterilmez."
    ),
    "No channel yet: alarms are seen on these pages only.": "Henüz kanal yok: alarmlar yalnızca bu sayfalarda görünür.",
    "The newest alerts": "En yeni uyarılar",
    "last delivered {ago}": "son teslim: {ago}",
    "nothing was sent yet": "henüz bir şey gönderilmedi",
    "The last message was not taken, {ago}: {why}": "Son mesaj alınmadı ({ago}): {why}",
    "What it hears, and when": "Neyi, ne zaman duyar",
    "In time zone {zone}. What is held without a stop, liquidations and a dead bot are told all the same.": (
        "Saat dilimi: {zone}. SL'siz tutulanlar, likidasyonlar ve yanıt vermeyen bot yine de bildirilir."
    ),
    "Tell of": "Bildirilecekler",
    "Quiet from": "Sessizlik başlangıcı",
    "until": "bitişi",
    "Messages in a minute": "Dakikada mesaj",
    "What is more comes in one message.": "Fazlası tek mesajda gelir.",
    "Saved. It holds from the next alert.": "Kaydedildi. Bir sonraki uyarıdan itibaren geçerli.",
    "Send a test": "Deneme gönder",
    "Taken by the service. Look whether it has arrived.": "Servis aldı. Ulaşıp ulaşmadığına bakın.",
    "Remove this channel?": "Bu kanal kaldırılsın mı?",
    "Nothing more is sent to **{name}**, and its address is forgotten.": (
        "**{name}** kanalına artık bir şey gönderilmez, adresi de unutulur."
    ),
    "Remove channel": "Kanalı kaldır",
    "The channel is removed.": "Kanal kaldırıldı.",
    "Add a channel": "Kanal ekle",
    "Address": "Adres",
    "As apprise writes it: tgram://bot-token/chat-id, discord://webhook-id/webhook-token, "
    "mailto://user:password@gmail.com, json://host:port/path.": (
        "apprise yazımıyla: tgram://bot-token/chat-id, discord://webhook-id/webhook-token, "
        "mailto://user:password@gmail.com, json://host:port/path."
    ),
    "Add channel": "Kanalı ekle",
    "Channel {name} is added. Send a test.": "{name} kanalı eklendi. Bir deneme gönderin.",
    "Nothing has been told yet.": "Henüz bir şey bildirilmedi.",
    "waits": "bekliyor",
    "is being sent": "gönderiliyor",
    "sent": "gönderildi",
    "given up": "vazgeçildi",
    "Alert": "Uyarı",
    "Where to": "Nereye",
    "When something is told, and the summary of the day": "Ne zaman bildirilir ve günün özeti",
    "Without a stop-loss for": "SL'siz geçen süre",
    "Without an answer for": "Yanıtsız geçen süre",
    "Summary of the day at": "Günün özeti saati",
    "In time zone {zone}. Empty: none.": "Saat dilimi: {zone}. Boş: özet yok.",
    "Dead man's switch": "Ölü adam anahtarı",
    "A request goes to this address while every bot that should run does, gives signs of life and sees its exchange. "
    "A service such as healthchecks.io rings when the requests stay away, also when this machine is gone.": (
        "Çalışması gereken her bot çalıştığı, yaşam belirtisi verdiği ve borsasını gördüğü sürece bu adrese istek "
        "gider. healthchecks.io gibi bir servis istekler kesilince haber verir, bu makine yok olduğunda da."
    ),
    "Every": "Sıklık",
    "Send one now": "Şimdi bir tane gönder",
    "Switch off": "Kapat",
    "Saved.": "Kaydedildi.",
    "Not taken: {why}": "Alınmadı: {why}",
    "Taken.": "Alındı.",
    "No more requests are sent.": "Artık istek gönderilmiyor.",
    "Commands from Telegram": "Telegram'dan komutlar",
    "/status, /positions, /why, /pause, /reduce_only, and /flatten with a code. Nothing can be opened from there, and "
    "a level is taken back on these pages only. Use a bot of its own for it, made with BotFather.": (
        "/status, /positions, /why, /pause, /reduce_only ve kodla /flatten. Oradan hiçbir şey açılamaz, bir seviye "
        "yalnızca bu sayfalardan geri alınır. Bunun için BotFather ile ayrı bir bot oluşturun."
    ),
    "Others who have written to it got no answer: {n}": "Ona yazan ve yanıt almayan başkaları: {n}",
    "Take commands": "Komut kabul et",
    "Bot token": "Bot token'ı",
    "Users and chats that may": "Yetkili kullanıcı ve sohbetler",
    "Their numbers, with blanks between them. In a chat on the list everybody may.": (
        "Numaraları, aralarında boşlukla. Listedeki bir sohbette herkes yetkilidir."
    ),
    "Users and chats are numbers, such as 123456789 or -1001234567890": (
        "Kullanıcı ve sohbetler sayıdır, örneğin 123456789 ya da -1001234567890"
    ),
    "Forget the bot": "Botu unut",
    "The bot's token is forgotten.": "Botun token'ı unutuldu.",
    "kept: ····{hint}": "kayıtlı: ····{hint}",
    "{ago}: {why}": "{ago}: {why}",
    "It works, as of {ago}.": "Çalışıyor ({ago}).",
    # executed.py
    "Executions": "İşlemeler",
    "Against the price that the first order would have taken when it was decided; positive is worse.": (
        "İlk emir kararlaştırıldığında alacağı fiyata göre; artı daha kötüdür."
    ),
    "Began": "Başlangıç",
    "Planned": "Planlanan",
    "Arrival": "Geliş fiyatı",
    "Slippage, bp": "Kayma, bp",
    "Slippage, USDT": "Kayma, USDT",
    "Duration": "Süre",
    # running.py
    "Execution report": "İşleme raporu",
    "Executions of the cycle": "Döngünün işlemeleri",
    # history.py
    "Each entry, recovery step and close appears here.": "Her giriş, kurtarma adımı ve kapama burada görünür.",
}
