"""Sentences of the bot and of the services in Turkish: patterns with named places, as the core writes them.

What is not known here, or would come out half translated, stays in English.
"""

from __future__ import annotations

import re
from functools import lru_cache

#: words that stand inside the sentences
WORDS: dict[str, str] = {
    "over the parts by their size": "parçalara büyüklüklerine göre bölünür",
    "from the oldest part on": "en eski parçadan başlayarak düşülür",
    "from the newest part on": "en yeni parçadan başlayarak düşülür",
    "take-profit": "TP",
    "take profit": "TP",
    "take_profit": "TP",
    "stop-loss": "SL",
    "stop loss": "SL",
    "stop_loss": "SL",
    "closed by us": "bizim kapatmamız",
    "closed by hand": "elle kapatma",
    "closed_by_us": "bizim kapatmamız",
    "closed_by_hand": "elle kapatma",
    "position value": "pozisyon değeri",
    "limit price": "limit fiyat",
    "long": "long",
    "short": "short",
    "run": "çalış",
    "pause entries": "yeni girişler durduruldu",
    "reduce only": "yalnızca azalt",
    "no new entries": "yeni giriş yok",
    "no added risk": "risk artırma yok",
    "flatten": "hepsini kapat",
    "none": "yok",
    "ok": "iyi",
    "connected": "bağlı",
    "asked by operator": "operatör istedi",
    "the server took the connection and did not answer in time": (
        "sunucu bağlantıyı kabul etti ama zamanında yanıt vermedi"
    ),
    "BACKUP_DATABASE_URL cannot be read: for example mysql://user:password@host:3306/database": (
        "BACKUP_DATABASE_URL okunamıyor; örnek: mysql://user:password@host:3306/database"
    ),
    "BACKUP_DATABASE_URL names the main database itself: a second copy there saves nothing": (
        "BACKUP_DATABASE_URL ana veritabanının kendisini gösteriyor: oradaki ikinci bir kopya hiçbir şeyi kurtarmaz"
    ),
    "resolve": "sonuç",
    "finish": "bitiş",
    "protect": "koruma",
    "close": "kapama",
    "enter": "giriş",
    "recover": "kurtarma",
    "derisk": "riski azaltma",
    "reopen": "yeniden açma",
    "sweep": "temizlik",
    "totals": "toplam",
    "risk": "risk",
    "switch": "anahtar",
    "setting": "ayar",
    "login": "giriş",
    "done": "tamam",
    "buys": "alım",
    "sells": "satım",
    "as asked": "istendiği gibi",
    "the time-out is over": "süre doldu",
    "the time of the slices is over": "dilimlerin süresi doldu",
    "by twap": "TWAP ile",
    "by limit": "limit ile",
    "by iceberg": "iceberg ile",
    "at market": "piyasadan",
    "time-out": "zaman aşımı",
    "reprice time": "taşıma süresi",
    "give-way": "taviz",
    "duration": "toplam süre",
    "randomness": "farklılık",
    "visible share": "görünen pay",
    "refresh time": "yenilenme süresi",
    "entry": "giriş",
    "recovery": "kurtarma",
    "protection": "koruma",
    "balancing": "denkleştirme",
    "liquidated": "likidasyon",
    "deleveraged": "ADL ile kapatma",
    "closed, nobody knows by whom": "kapandı, kimin kapattığı bilinmiyor",
    "pause entries, recovery and reopening": "girişler, kurtarma ve yeniden açma durduruldu",
    "started": "başlatıldı",
    "stopped": "durduruldu",
    "running": "çalışıyor",
    "starting": "başlıyor",
    "elsewhere": "başka bir süreçte çalışıyor",
    "dead": "yanıt vermiyor",
}
SENTENCES: dict[str, str] = {
    "{filled} of {planned} contracts filled": "{planned} kontratın {filled} kadarı doldu",
    "{words} {quantity} contracts at market": "{words} {quantity} kontrat, piyasadan",
    "{words} {quantity} contracts at {price}": "{words} {quantity} kontrat, {price} fiyattan",
    "{words} the missing {quantity} contracts at market, {after}": (
        "{words}, eksik {quantity} kontrat piyasadan, {after}"
    ),
    "an order at market is filling": "piyasa emri doluyor",
    "its rest is taken back by hand": "kalanı elle geri alındı",
    "taken back by hand: {done}": "elle geri alındı: {done}",
    "a step of this cycle was taken back by hand; to save the part's recovery settings allows them again": (
        "bu döngünün bir adımı elle geri alındı; parçanın kurtarma ayarları kaydedilince yine izin verilir"
    ),
    "the rest goes at market now, as asked": "istendiği gibi kalan şimdi piyasadan gidiyor",
    "gave up after {n} orders that were cut short: {done}": "yarım kalan {n} emirden sonra vazgeçildi: {done}",
    "the limit order at {price} rests": "{price} fiyatındaki limit emir bekliyor",
    "the limit order has reached its time-out": "limit emrin süresi doldu",
    "the limit order was cancelled before its time: {done}": "limit emir süresinden önce iptal edildi: {done}",
    "the limit order moves from {before} to {price}": "limit emir {before} fiyatından {price} fiyatına taşınıyor",
    "time-out: {done}": "süre doldu: {done}",
    "waits for a fresh price": "taze fiyat bekliyor",
    "slice {due} of {slices}: {words}": "dilim {due}/{slices}: {words}",
    "slice {due} of {slices} rests at {price}": "dilim {due}/{slices}, {price} fiyatında bekliyor",
    "slice {due} of {slices} waits for a fresh price": "dilim {due}/{slices} taze fiyat bekliyor",
    "slice {sent} of {slices} has not filled; its rest joins the next": (
        "dilim {sent}/{slices} dolmadı; kalanı sonrakine katılıyor"
    ),
    "slice 1 of {slices} is due soon": "{slices} dilimin ilki birazdan",
    "waits for slice {due} of {slices}{refused}": "dilim {due}/{slices}{refused} bekleniyor",
    "all slices are through: {done}": "tüm dilimler tamam: {done}",
    "the last slice is through, the rest goes at market at the end{refused}": (
        "son dilim tamam, kalan sonunda piyasadan gider{refused}"
    ),
    "the time of the slices is over: {done}": "dilimlerin süresi doldu: {done}",
    "limit price must be above 0, not {price}": "limit fiyat 0 üstünde olmalı, {price} değil",
    "limit price must be a multiple of {tick}, not {price}": "limit fiyat {tick} katı olmalı, {price} değil",
    "time-out must be given where the rest goes at market then": ("kalan piyasadan gidecekse zaman aşımı verilmeli"),
    "visible share must be given, {least} to {most}": "görünen pay verilmeli, {least} ile {most} arası",
    "duration must be given, {least} to {most}": "toplam süre verilmeli, {least} ile {most} arası",
    "slices must be given, {least} to {most}": "dilim sayısı verilmeli, {least} ile {most} arası",
    "slices must be {least} to {most}, not {slices}": "dilim sayısı {least} ile {most} arası olmalı, {slices} değil",
    "slices must be {most} or fewer in {span}: one a second at most": (
        "{span} içinde en fazla {most} dilim olabilir: saniyede en fazla bir"
    ),
    "slices must be at least {least}: one order takes at most {most} contracts": (
        "en az {least} dilim olmalı: bir emir en fazla {most} kontrat alır"
    ),
    "{field} must be {least} to {most}, not {span}": "{field} {least} ile {most} arası olmalı, {span} değil",
    "recovery {words}": "kurtarma: {words}",
    "recovery limit price must be empty: a step rests at our side of the book when it is due": (
        "kurtarmanın limit fiyatı boş olmalı: adım zamanı gelince defterin bizim tarafımızda bekler"
    ),
    "recovery step {step}: {words}": "kurtarma adımı {step}: {words}",
    "recovery step {step} is given up: {because}": "kurtarma adımı {step} bırakıldı: {because}",
    "recovery is switched off": "kurtarma kapatıldı",
    "recovery step {step} goes on later: {because}": "kurtarma adımı {step} sonra sürecek: {because}",
    "recovery step {step} waits: {id} has no answer": "kurtarma adımı {step} bekliyor: {id} yanıtsız",
    "the close was taken back": "kapatma geri alındı",
    "the close goes on at market": "kapatma piyasadan sürüyor",
    "the close is taken back": "kapatma geri alındı",
    "the rest at market now": "kalan şimdi piyasadan",
    "the rest is taken back": "kalan geri alındı",
    "{words}, once the bot is started": "{words}, bot başlatılınca",
    "the bot closes it now {words}": "bot şimdi {words} kapatıyor",
    "execution {name} of {part} is not under way; under way: {parts}": (
        "{part} parçasının {name} işlemi sürmüyor; sürenler: {parts}"
    ),
    "stop-loss and take-profit cannot be triggered by {wrong} here: {allowed} is allowed": (
        "SL ve TP burada {wrong} ile tetiklenemez: {allowed} olabilir"
    ),
    "{quantity} contracts were closed at {price} by an order that is not ours ({reason})": (
        "{quantity} kontrat {price} fiyattan bizim olmayan bir emirle kapatıldı ({reason})"
    ),
    "{words}; divided {rule}": "{words}; {rule}",
    "{used} of {most} conditional orders rest or are about to: a position needs {legs} more. Close a part, or use "
    "another account": (
        "{most} koşullu emrin {used} tanesi bekliyor ya da konmak üzere: bir pozisyon {legs} tane daha ister. "
        "Bir parçayı kapatın ya da başka bir hesap kullanın"
    ),
    "TP {tp}, SL {sl}": "TP {tp}, SL {sl}",
    "held for {held} of at least {least} s; Close for good does not wait": (
        "en az {least} sn'nin {held} kadarı tutuldu; Kalıcı olarak kapat beklemez"
    ),
    "the partial close is done": "kısmi kapama tamam",
    "closes {quantity} of {size} contracts at market, as asked{words}": (
        "istendiği gibi {size} kontratın {quantity} kadarı piyasadan kapatılıyor{words}"
    ),
    "the stop would lose {lost} USDT with fees, one trade may lose {most}": (
        "SL ücretlerle {lost} USDT kaybettirir, bir işlem en fazla {most} kaybedebilir"
    ),
    "stop-loss would lose {lost} USDT with fees: one trade may lose {most} USDT at most, by the settings": (
        "SL ücretlerle {lost} USDT kaybettirir: ayarlara göre bir işlem en fazla {most} USDT kaybedebilir"
    ),
    "Most that one trade may lose": "Bir işlemin kaybedebileceği en çok",
    "And never more than": "Ve asla bundan fazla değil",
    "An entry whose stop would lose more, fees included, is refused. Empty: no limit.": (
        "SL'i ücretler dahil bundan fazla kaybettirecek giriş reddedilir. Boş: sınır yok."
    ),
    "Caps the share before it. Empty: no cap.": "Önceki payı sınırlar. Boş: tavan yok.",
    "waits for the answer to {id}": "{id} için yanıt bekleniyor",
    "the closing order is filling": "kapama emri gerçekleşiyor",
    "an order of it ended and the exchange has not told how; asking": (
        "bir emri bitti ve borsa nasıl bittiğini bildirmedi; soruluyor"
    ),
    "the position is smaller than our parts; finding out why before closing": (
        "pozisyon parçalarımızdan küçük; kapatmadan önce nedeni araştırılıyor"
    ),
    "the entry is withdrawn before closing": "kapatmadan önce giriş emri geri çekiliyor",
    "nothing is left to reduce": "azaltılacak bir şey kalmadı",
    "{residual} contracts here are not ours: adopt, assign or ignore them first": (
        "buradaki {residual} kontrat bizim değil: önce sahiplenin, atayın ya da yok sayın"
    ),
    "The account is one-way and its other side is taken: close that, or switch the account to long/short mode "
    "(hedge mode) at the exchange.": (
        "Hesap tek yönlü ve diğer yönü dolu: onu kapatın ya da hesabı borsada long/short (hedge) moduna geçirin."
    ),
    "The position stands at {mark}x and its parts were opened with {ours}; the bot sets a part's leverage "
    "again before its next order.": (
        "Pozisyon {mark}x kaldıraçta, parçaları {ours} ile açılmıştı; bot bir sonraki emirden önce parçanın "
        "kaldıracını yeniden ayarlar."
    ),
    "The exchange holds {mark} contracts more than our parts: somebody else opened them.": (
        "Borsada parçalarımızdan {mark} kontrat fazla var: bunları başkası açmış."
    ),
    "{mark} contracts of our parts are gone at the exchange, and no fill tells why yet.": (
        "Parçalarımızın {mark} kontratı borsada yok, hiçbir gerçekleşme nedenini henüz söylemiyor."
    ),
    "cycle {cycle}: {value} USDT at {price} is {contracts} contracts": (
        "döngü {cycle}: {price} fiyattan {value} USDT, {contracts} kontrat eder"
    ),
    "the level is {level}": "seviye: {level}",
    "the exchange is not healthy": "borsa sağlıklı değil",
    "{why}; both sides at once need long/short mode (hedge mode) at the exchange": (
        "{why}; iki yön birden için borsada long/short (hedge) modu gerekir"
    ),
    "the account is one-way and holds {symbol} {side}": "hesap tek yönlü ve {symbol} {side} tutuyor",
    "the account is one-way and part {part} is {symbol} {side}": ("hesap tek yönlü ve {part} parçası {symbol} {side}"),
    "{n} of at most {most} conditional orders rest or are kept room for, and it needs {legs} more": (
        "en fazla {most} koşullu emrin {n} tanesi bekliyor ya da yeri ayrılmış, {legs} tane daha gerekiyor"
    ),
    "its other leg goes: nothing is left to close": "diğer bacağı kaldırılıyor: kapatılacak bir şey kalmadı",
    "no {leg} rests: it is placed": "bekleyen {leg} yok: veriliyor",
    "no {leg} is wanted any more": "artık {leg} istenmiyor",
    "flat, but its exits closed {n} contracts more than it held; that is put right first": (
        "kapandı, ama çıkışları elindekinden {n} kontrat fazla kapattı; önce bu düzeltiliyor"
    ),
    "{id} was set off and never carried out, and the exchange does not let it go": (
        "{id} tetiklendi ama hiç gerçekleşmedi ve borsa onu bırakmıyor"
    ),
    "{part} closed {n} contracts more than it held: two of its exits filled": (
        "{part} elindekinden {n} kontrat fazla kapattı: iki çıkışı birden gerçekleşti"
    ),
    "{n} contracts of a shared position were closed by hand; asks which parts they were of": (
        "ortak pozisyonun {n} kontratı elle kapatıldı; hangi parçalardan olduğu soruluyor"
    ),
    "{n} contracts were closed by hand, and several parts hold this position: which of them lose it?": (
        "{n} kontrat elle kapatıldı ve bu pozisyonu birkaç parça tutuyor: hangilerinden düşülsün?"
    ),
    "{said}; divided {how}": "{said}; {how}",
    "it is divided {how}": "{how}",
    "{said}; brought back at market": "{said}; piyasadan geri alınıyor",
    "{said}; looks again before it is put right": "{said}; düzeltmeden önce yeniden bakılıyor",
    "{said}; cannot be brought back now: {why}": "{said}; şimdi geri alınamıyor: {why}",
    "{said}; waits for the answer to {id}": "{said}; {id} yanıtı bekleniyor",
    "{n} contracts were closed by the exits of {part} at {price}; not brought back: {why}": (
        "{n} kontrat {part} çıkışlarınca {price} fiyattan kapatıldı; geri alınmadı: {why}"
    ),
    "{symbol} cannot be traded now": "{symbol} şu anda işlem görmüyor",
    "{id} was set off, never carried out and could still be: it has to go at the exchange first": (
        "{id} tetiklendi ama hiç gerçekleşmedi ve hâlâ gerçekleşebilir: önce borsada kaldırılması gerekiyor"
    ),
    "{n} older orders of ours are being removed first": "önce eski {n} emrimiz kaldırılıyor",
    "no fresh price": "taze fiyat yok",
    "the position is smaller than our parts; finding out why": "pozisyon parçalarımızdan küçük; nedeni araştırılıyor",
    "the last request never arrived; a short pause before it is sent again": (
        "son istek hiç ulaşmadı; yeniden göndermeden önce kısa bir ara"
    ),
    "an exit has begun": "çıkış başladı",
    "{value} USDT is less than the smallest order of {smallest} contracts": (
        "{value} USDT, {smallest} kontratlık en küçük emirden az"
    ),
    "the stop-loss {stop} has been passed: the price is {reference}": "SL {stop} geçildi: fiyat {reference}",
    "the take-profit {target} has been passed: the price is {reference}": "TP {target} geçildi: fiyat {reference}",
    "closed before it was entered": "giriş olmadan kapatıldı",
    "waits: {hindered}": "bekliyor: {hindered}",
    "refused by the limits: {veto}": "limitler reddetti: {veto}",
    "withdrawn: the level is reduce only": "geri çekildi: seviye yalnızca azalt",
    "withdrawn: an exit has begun": "geri çekildi: çıkış başladı",
    "the take-profit closed it": "TP ile kapandı",
    "the stop-loss closed it": "SL ile kapandı",
    "closed as asked": "istendiği gibi kapatıldı",
    "closed by hand at the exchange": "borsada elle kapatıldı",
    "liquidated by the exchange": "borsa likide etti",
    "deleveraged by the exchange": "borsa ADL ile kapattı",
    "closed, and the exchange does not tell by what": "kapandı, borsa neyle kapandığını söylemiyor",
    "flat, but waits for the answer to {id}": "kapalı, ama {id} için yanıt bekleniyor",
    "flat; waits for a second look that agrees": "kapalı; doğrulayan ikinci bakış bekleniyor",
    "{words}; what is left of it goes": "{words}; kalan emirleri kaldırılıyor",
    "the entry's safety net is exchanged for an OCO that ends with the position": (
        "girişin güvenlik ağı, pozisyonla biten bir OCO ile değiştiriliyor"
    ),
    "asks whether {id} arrived, for {since} now": "{since} süredir {id} ulaştı mı diye soruluyor",
    "a stop-loss at {sl} would be set off at once; the one at {kept} stays": (
        "{sl} SL'si hemen çalışırdı; {kept} seviyesindeki kalıyor"
    ),
    "a take-profit at {tp} would be set off at once; the one at {kept} stays": (
        "{tp} TP'si hemen çalışırdı; {kept} seviyesindeki kalıyor"
    ),
    "the last placement was {age} ago": "son emir {age} önce verildi",
    "bare: TP and SL are placed": "korumasız: TP ve SL konuyor",
    "{words}: closes at market": "{words}: piyasadan kapatılıyor",
    "on a shared position the old protection goes before the new one comes": (
        "ortak pozisyonda yeni koruma gelmeden eskisi kaldırılır"
    ),
    "the stop-loss {sl} has been passed at {price}": "SL {sl}, {price} fiyatta geçildi",
    "the take-profit {tp} has been passed at {price}": "TP {tp}, {price} fiyatta geçildi",
    "the exchange says that the stop-loss {sl} has been passed": "borsa SL {sl} geçildi diyor",
    "the exchange says that the take-profit {tp} has been passed": "borsa TP {tp} geçildi diyor",
    "{size} contracts are below the smallest order of {smallest}: not guarded": (
        "{size} kontrat, {smallest} olan en küçük emrin altında: korunmuyor"
    ),
    "an order that closes it is working; protection stays as it is": (
        "kapatan bir emir bekliyor; koruma olduğu gibi kalıyor"
    ),
    "its protection has been set off and is filling": "koruması tetiklendi, gerçekleşiyor",
    "no take-profit and no stop-loss were asked for": "TP ve SL istenmedi",
    "neither take-profit nor stop-loss is wanted any more": "artık TP ve SL istenmiyor",
    "the position is smaller than our parts; finding out why before it is guarded": (
        "pozisyon parçalarımızdan küçük; korumadan önce nedeni araştırılıyor"
    ),
    "amended in place to {levels} for {quantity} contracts": "{quantity} kontrat için yerinde değiştirildi: {levels}",
    "it is being closed": "kapatılıyor",
    "it is being closed now": "şimdi kapatılıyor",
    "computed anew with the contract's rules and refused again; it needs a person": (
        "sözleşme kurallarıyla yeniden hesaplandı ve yine reddedildi; birinin bakması gerek"
    ),
    "on a shared position one protection only": "ortak pozisyonda tek koruma",
    "exchanged for {levels}": "şununla değiştirildi: {levels}",
    "a second protection is not needed": "ikinci bir koruma gerekmiyor",
    "in place: {levels} for {quantity} contracts": "yerinde: {quantity} kontrat için {levels}",
    "{id} was sent {since} ago and has no answer; asking under its id": (
        "{id} {since} önce gönderildi, yanıt yok; kimliğiyle soruluyor"
    ),
    "Sizes are rounded down to whole steps of {step} contracts of {each} {base}.": (
        "Büyüklükler {each} {base} olan kontratların {step} adımına aşağı yuvarlanır."
    ),
    "contract {symbol} cannot be traded now: the exchange has it suspended or not started": (
        "{symbol} şu anda işlem görmüyor: borsa durdurmuş ya da başlatmamış"
    ),
    "contract {symbol} has no price yet: the bot has not heard one": (
        "{symbol} için henüz fiyat yok: bot fiyat almadı"
    ),
    "position value {value} USDT is too small: {lowest} USDT ({least} contracts) to {highest} USDT is allowed": (
        "pozisyon değeri {value} USDT çok küçük: {lowest} USDT ({least} kontrat) ile {highest} USDT arası olmalı"
    ),
    "leverage {leverage} is out of range: 1 to {highest} is allowed for {symbol}": (
        "kaldıraç {leverage} sınır dışında: {symbol} için 1 ile {highest} arası olmalı"
    ),
    "leverage {leverage} is between two steps: a multiple of {step} is allowed here": (
        "kaldıraç {leverage} iki adımın arasında: burada {step} katı olmalı"
    ),
    "position value {value} USDT is above your limit: {most} USDT at most": (
        "pozisyon değeri {value} USDT limitinizin üstünde: en fazla {most} USDT"
    ),
    "position value {value} USDT is below your limit: {least} USDT at least": (
        "pozisyon değeri {value} USDT limitinizin altında: en az {least} USDT"
    ),
    "position value {value} USDT makes the position {whole} USDT: {most} USDT ({share} of the equity) at most": (
        "pozisyon değeri {value} USDT ile pozisyon {whole} USDT olur: en fazla {most} USDT (özkaynağın {share} kadarı)"
    ),
    "limit price is empty: a price above 0 is allowed": "limit fiyat boş: 0'dan büyük bir fiyat gerekli",
    "limit price {price} is {away} away from the mark price: {lowest} to {highest} is allowed": (
        "limit fiyat {price}, mark fiyattan {away} uzakta: {lowest} ile {highest} arası olmalı"
    ),
    "position value {value} USDT at {leverage}x needs {needed} USDT of margin and fee: {free} USDT is free": (
        "pozisyon değeri {value} USDT, {leverage}x ile {needed} USDT marjin ve komisyon ister: boşta {free} USDT var"
    ),
    "Without a stop-loss nothing limits the loss but the liquidation.": (
        "SL olmadan zararı likidasyondan başka hiçbir şey sınırlamaz."
    ),
    "The stop-loss lies beyond the estimated liquidation at {liquidation}: the exchange would close first.": (
        "SL, tahmini likidasyonun ({liquidation}) ötesinde: önce borsa kapatırdı."
    ),
    "{name} {level} has been passed already: the price is {price}, it would be set off at once": (
        "{name} {level} zaten geçilmiş: fiyat {price}, hemen çalışırdı"
    ),
    "{name} would lie at a price of {level}: it must stay above 0": (
        "{name}, {level} fiyatına düşerdi: 0'ın üstünde kalmalı"
    ),
    "recovery step {step} waits: PnL {pnl}, trigger {trigger}": (
        "kurtarma adımı {step} bekliyor: PnL {pnl}, tetik {trigger}"
    ),
    "{id} has no answer yet": "{id} için henüz yanıt yok",
    "an order that adds to it is filling": "ekleyen bir emir gerçekleşiyor",
    "a close is under way": "kapama sürüyor",
    "its protection has been set off": "koruması tetiklendi",
    "{taken} of at most {most} steps are taken": "en fazla {most} adımın {taken} tanesi atıldı",
    "the loss has reached the limit of {most} USDT for recovery": "zarar, kurtarma için {most} USDT limitine ulaştı",
    "the entry is not complete": "giriş tamamlanmadı",
    "its stop-loss is put right first": "önce SL'si düzeltiliyor",
    "the last step was {age} ago, {pause} lie between two": "son adım {age} önceydi, iki adım arası {pause}",
    "{because}: adds {quantity} contracts": "{because}: {quantity} kontrat ekleniyor",
    "recovery step {step}: PnL {pnl} is under {trigger}": "kurtarma adımı {step}: PnL {pnl}, {trigger} altında",
    "{because}, but the limits refuse it: {veto}": "{because}, ama limitler reddediyor: {veto}",
    "recovery step {step} waits: {busy}": "kurtarma adımı {step} bekliyor: {busy}",
    "recovery step {step} waits: no price": "kurtarma adımı {step} bekliyor: fiyat yok",
    "recovery step {step} is due at PnL {pnl} and waits: {held}": (
        "kurtarma adımı {step} zamanı geldi (PnL {pnl}), bekliyor: {held}"
    ),
    "cycle {cycle} begins ({after}): {value} USDT at {price}": (
        "döngü {cycle} başlıyor ({after}): {price} fiyattan {value} USDT"
    ),
    "{words} is {contracts} contracts": "{words}, {contracts} kontrat eder",
    "after {reason}": "{reason} sonrası",
    "reopening is off for it": "yeniden açma bunun için kapalı",
    "it ended by {reason}, which is not reopened": "{reason} ile bitti, bundan sonra yeniden açılmaz",
    "all of its {n} cycles are done": "{n} döngüsünün hepsi tamamlandı",
    "its cycles have lost {lost} of at most {budget} USDT": (
        "döngüleri en fazla {budget} USDT'nin {lost} kadarını kaybetti"
    ),
    "a second look that agrees": "doğrulayan ikinci bakış",
    "it was never entered": "hiç girilmedi",
    "not opened again: {never}": "yeniden açılmıyor: {never}",
    "opens again in {left} ({after})": "{left} sonra yeniden açılır ({after})",
    "due to open again and waits: {held}": "yeniden açılma zamanı geldi, bekliyor: {held}",
    "due to open again, but the limits refuse it: {veto}": (
        "yeniden açılma zamanı geldi, ama limitler reddediyor: {veto}"
    ),
    "the free balance is not known": "boş bakiye bilinmiyor",
    "order {id} means the same and has no answer yet": "{id} emri aynı anlamda ve henüz yanıtı yok",
    "position value {value} USDT is {contracts} contracts, above your limit: {most} contracts at most": (
        "pozisyon değeri {value} USDT {contracts} kontrat eder, limitinizin üstünde: en fazla {most} kontrat"
    ),
    "position value {value} USDT is {contracts} contracts, below your limit: {least} contracts at least": (
        "pozisyon değeri {value} USDT {contracts} kontrat eder, limitinizin altında: en az {least} kontrat"
    ),
    "contract {symbol} would be entered at {price}, {away} % away from the mark price {mark}: {most} % at most": (
        "kontrat {symbol}: {price} fiyattan girilecekti, mark fiyat {mark} ile arası %{away}: en fazla %{most}"
    ),
    "account has lost {lost} % of the day's {began} USDT: less than {most} % is allowed": (
        "hesap günün {began} USDT tutarının %{lost} kadarını kaybetti: %{most} altı olmalı"
    ),
    "account has {n} open parts: {most} at most, by the settings": (
        "hesapta {n} açık parça var: ayarlara göre en fazla {most}"
    ),
    "{words}: to be reduced, waits: {busy}": "{words}: azaltılacak, bekliyor: {busy}",
    "{words}: {size} contracts cannot be split, and are left to their stop": (
        "{words}: {size} kontrat bölünemez, SL'sine bırakılır"
    ),
    "{words}: reduced from {size} to {to} contracts": "{words}: {size} kontrattan {to} kontrata azaltılıyor",
    "it is still being entered": "giriş sürüyor",
    "at most one reduction in {n} s": "{n} saniyede en fazla bir azaltma",
    "{name} belongs to no open part": "{name} hiçbir açık parçaya ait değil",
    "{n} orders here are not ours and are left alone": "buradaki {n} emir bizim değil, dokunulmuyor",
    "the exchange holds {n} contracts more than our parts; they are left alone": (
        "borsada parçalarımızdan {n} kontrat fazla var; dokunulmuyor"
    ),
    "the exchange holds {n} contracts more than our parts; ignored as asked": (
        "borsada parçalarımızdan {n} kontrat fazla var; istendiği gibi yok sayılıyor"
    ),
    "{n} contracts of ours are gone; looking again before booking it": (
        "{n} kontratımız eksik; işlemeden önce yeniden bakılıyor"
    ),
    "{n} contracts of ours are gone; waits for the fill, as asked": (
        "{n} kontratımız eksik; istendiği gibi gerçekleşme bekleniyor"
    ),
    "{n} contracts of ours are gone; looking for the fill that closed them": (
        "{n} kontratımız eksik; onları kapatan gerçekleşme aranıyor"
    ),
    "The key works on {place}: it may read and trade. Equity {equity} USDT.": (
        "Anahtar {place} üzerinde çalışıyor: okuyabilir ve işlem yapabilir. Özkaynak {equity} USDT."
    ),
    "This key may only read on {place}. Make one that may read and trade.": (
        "Bu anahtar {place} üzerinde yalnızca okuyabilir. Okuyan ve işlem yapan bir anahtar oluşturun."
    ),
    "Confirmation: this is real money. Type {word} in capitals to add the account.": (
        "Onay: bu gerçek para. Hesabı eklemek için büyük harflerle {word} yazın."
    ),
    "name is empty: give the account a name": "ad boş: hesaba bir ad verin",
    "name {name} is taken: choose another for this account": (
        "{name} adı kullanılıyor: bu hesap için başka bir ad seçin"
    ),
    "the paper accounts stay: they need no keys and harm nobody": (
        "kağıt hesap kalır: anahtar istemez, kimseye zararı yoktur"
    ),
    "the bot of account {name} runs: stop it before the account is removed": (
        "{name} hesabının botu çalışıyor: hesabı kaldırmadan önce durdurun"
    ),
    "account {account} is not known": "{account} hesabı bilinmiyor",
    "{label} {value} is out of range: {allowed} is allowed": "{label} {value} sınır dışında: {allowed} olmalı",
    "asked for already by this click": "bu tıklamayla zaten istendi",
    "{done} once the bot is started": "{done} (bot başlatılınca)",
    "it stays in the book until its fill is found; nothing is added there meanwhile": (
        "gerçekleşmesi bulunana kadar defterde kalır; bu sırada oraya ekleme yapılmaz"
    ),
    "it is left alone until it changes": "değişene kadar dokunulmaz",
    "what is missing is booked as closed at the mark price": "eksik olan, mark fiyattan kapanmış olarak işlenir",
    "it is ours; its take-profit and stop-loss are placed": "artık bizim; TP ve SL'si konuyor",
    "this difference is no longer there: exchange and book agree": (
        "bu fark artık yok: borsa ile defter birbirini tutuyor"
    ),
    "{part} {side} {symbol} with the same strategy already: confirm that you want another one.": (
        "{part} aynı stratejiyle zaten {symbol} {side}: bir tane daha istediğinizi onaylayın."
    ),
    "Part {part} is": "{part} parçası",
    "Parts {parts} are": "{parts} parçaları",
    "the bot reads the exchange's history now": "bot şimdi borsa geçmişini okuyor",
    "What rests on the exchange goes on guarding the positions.": (
        "Borsada bekleyen emirler pozisyonları korumaya devam ediyor."
    ),
    "Nothing is held; ready to trade.": "Açık pozisyon yok; işleme hazır.",
    "Watches 1 part.": "1 parçayı izliyor.",
    "Watches {parts} parts.": "{parts} parçayı izliyor.",
    "The exchange: {words}.": "Borsa: {words}.",
    "Stopped by {who}.": "{who} tarafından durduruldu.",
    "The bot has been asked to start and has not answered yet.": "Bottan başlaması istendi, henüz yanıt vermedi.",
    "Too many wrong passwords from this address. Try again in {minutes} min.": (
        "Bu adresten çok fazla yanlış parola girildi. {minutes} dk sonra yeniden deneyin."
    ),
    "This is not the password. {left} of 5 tries are left.": "Parola bu değil. 5 denemeden {left} hakkınız kaldı.",
    "Enter the password.": "Parolayı girin.",
    "password is empty: choose one": "parola boş: bir parola seçin",
    "password has {n} characters: {least} or more are needed": "parola {n} karakter: en az {least} gerekli",
    "password has {n} characters: {most} at most": "parola {n} karakter: en fazla {most} olabilir",
    "password is made of blanks only: choose another": "parola yalnızca boşluklardan oluşuyor: başka bir tane seçin",
    "password: the two differ": "parola: ikisi aynı değil",
    "password: it stays while others can reach the dashboard; listen on 127.0.0.1 first": (
        "parola: panele başkaları erişebildiği sürece kalır; önce 127.0.0.1 üzerinde dinleyin"
    ),
    "password: it is set by PERPDECK_PASSWORD; change it there and start again": (
        "parola: PERPDECK_PASSWORD ile belirlenmiş; orada değiştirip yeniden başlatın"
    ),
    "present password: this is not it": "şimdiki parola: bu değil",
    "Holds for running parts at once.": "Açık parçalar için hemen geçerli olur.",
    "Recovery": "Kurtarma",
    "Reopen": "Yeniden açma",
    "Limits": "Limitler",
    "Cadence": "Sıklık",
    "Watchdog": "Gözcü",
    "Take-profit and stop-loss": "TP ve SL",
    "Where the exchange refuses a stop-loss": "Borsa SL'yi reddederse",
    "A part may choose otherwise. A price that is passed already is closed at market in any case. {at_once}": (
        "Bir parça başka seçebilir. Fiyat SL'yi zaten geçtiyse her durumda piyasadan kapatılır. {at_once}"
    ),
    "Longest time without a stop-loss": "SL'siz en uzun süre",
    "While the exchange refuses it; afterwards the part is closed at market, where that is chosen. {at_once}": (
        "Borsa reddettiği sürece; sonra, seçildiyse parça piyasadan kapatılır. {at_once}"
    ),
    "What somebody closes of a shared position comes off": "Ortak pozisyondan elle kapatılan şundan düşülür",
    "What the exchange itself takes (liquidation, deleveraging) comes off all parts by their size. {at_once}": (
        "Borsanın kendi aldığı (tasfiye, ADL) tüm parçalardan büyüklüklerine göre düşülür. {at_once}"
    ),
    "Price protection (Binance)": "Fiyat koruması (Binance)",
    "Stops and targets are not set off while last and mark price lie too far apart. For new ones from now on.": (
        "Son fiyatla mark fiyatı çok ayrıyken SL ve TP tetiklenmez. Bundan sonra verilenler için."
    ),
    "bare for {age}, {allowed} are allowed: the exchange refuses its stop-loss": (
        "{age} SL'siz, izin verilen {allowed}: borsa SL'yi reddediyor"
    ),
    "refused by the exchange; left as it is, as set for this part": (
        "borsa reddetti; bu parça için ayarlandığı gibi öyle bırakıldı"
    ),
    "Raise the level by itself": "Seviyeyi kendiliğinden sıkılaştırma",
    "Recover losing positions": "Zarardaki pozisyonları kurtar",
    "A part whose PnL falls under the trigger is averaged down, step by step.": (
        "PnL'i tetiğin altına düşen parçanın ortalaması adım adım düşürülür."
    ),
    "Trigger": "Tetik",
    "A step is due under this PnL of a part.": "Parçanın PnL'i bunun altındayken adım atılır.",
    "Amount of one step": "Bir adımın tutarı",
    "Position value that it adds.": "Eklediği pozisyon değeri.",
    "Take-profit after a step": "Adımdan sonra TP",
    "On the whole part.": "Parçanın tümü üzerinde.",
    "Stop-loss after a step": "Adımdan sonra SL",
    "On the whole part, as a loss.": "Parçanın tümü üzerinde, zarar olarak.",
    "Most steps in one cycle": "Bir döngüde en fazla adım",
    "Empty: no limit.": "Boş: limitsiz.",
    "Empty: off.": "Boş: kapalı.",
    "No step beyond a loss of": "Bu zarardan sonra adım yok",
    "Pause between two steps": "İki adım arası bekleme",
    "Also how often every part is asked whether a step is due.": (
        "Her parçaya adım gerekip gerekmediği de bu sıklıkla sorulur."
    ),
    "Open ended positions again": "Biten pozisyonları yeniden aç",
    "In the same record, with the same parameters, for ever.": "Aynı kayıtta, aynı parametrelerle, sürekli.",
    "Wait before it": "Önceki bekleme",
    "After the end.": "Bittikten sonra.",
    "Try again after": "Yeniden deneme aralığı",
    "Where a reopen has failed.": "Yeniden açma başarısız olduğunda.",
    "Most cycles of a part": "Bir parçanın en fazla döngüsü",
    "Loss budget of a part": "Bir parçanın zarar bütçesi",
    "Not opened again once its cycles have lost this much together. Empty: no limit.": (
        "Döngüleri toplamda bu kadar kaybedince yeniden açılmaz. Boş: limitsiz."
    ),
    "Open again after": "Şunlardan sonra yeniden aç",
    "Smallest order value": "En küçük emir değeri",
    "An entry below this is not sent. Empty: the exchange's own smallest order.": (
        "Bunun altındaki giriş gönderilmez. Boş: borsanın kendi en küçük emri."
    ),
    "Largest order value": "En büyük emir değeri",
    "An entry above this is not sent. Empty: no limit.": "Bunun üstündeki giriş gönderilmez. Boş: limitsiz.",
    "Highest leverage": "En yüksek kaldıraç",
    "An entry with more leverage is not sent. Empty: the exchange's own limit.": (
        "Daha yüksek kaldıraçlı giriş gönderilmez. Boş: borsanın kendi limiti."
    ),
    "Smallest order": "En küçük emir",
    "Largest order": "En büyük emir",
    "An entry of fewer contracts is not sent. A contract is another size on each exchange. Empty: no limit.": (
        "Daha az kontratlık giriş gönderilmez. Kontratın büyüklüğü her borsada başkadır. Boş: limitsiz."
    ),
    "An entry of more contracts is not sent. A contract is another size on each exchange. Empty: no limit.": (
        "Daha çok kontratlık giriş gönderilmez. Kontratın büyüklüğü her borsada başkadır. Boş: limitsiz."
    ),
    "Reduce what has come to risk more": "Riski artmış olanı azalt",
    "A part whose stop would lose more than one trade may by now is closed in part, at market, until it fits.": (
        "SL'si artık bir işlemin kaybedebileceğinden fazlasını kaybettirecek parça, sığana dek piyasadan kısmen "
        "kapatılır."
    ),
    "Most parts at once": "Aynı anda en fazla parça",
    "parts": "parça",
    "days": "gün",
    "Of one account; nothing more is opened beyond it. Empty: no limit.": (
        "Bir hesabın; bunun ötesinde yenisi açılmaz. Boş: limitsiz."
    ),
    "Keep what was told for": "Anlatılanları saklama süresi",
    "Explanations, events and checks go afterwards. Orders, fills, cycles, funding and the audit trail stay.": (
        "Açıklamalar, olaylar ve denetimler sonra silinir. Emirler, gerçekleşmeler, döngüler, fonlama ve denetim izi "
        "kalır."
    ),
    "Largest value of one position": "Bir pozisyonun en büyük değeri",
    "% of equity": "özkaynağın %'si",
    "Of all parts on one side of a contract together, leverage included: nothing is added beyond it. "
    "Empty: no limit.": (
        "Bir kontratın bir yönündeki bütün parçaların toplamı, kaldıraç dahil: ötesinde ekleme yapılmaz. Boş: limitsiz."
    ),
    "Furthest from the mark price": "Mark fiyattan en fazla uzaklık",
    "An entry is not sent while it would pay so much more, or at market so much less, than the mark price.": (
        "Mark fiyattan bu kadar pahalıya, piyasadan ise bu kadar ucuza olacak giriş gönderilmez."
    ),
    "Minimum holding time": "En az tutma süresi",
    "A partial close and a close that is to be opened again wait for it. A stop, a target, Close for good "
    "and the level flatten never do. Empty: none.": (
        "Kısmi kapama ve yeniden açılacak kapama bunu bekler. SL, TP, Kalıcı olarak kapat ve hepsini kapat "
        "seviyesi hiç beklemez. Boş: yok."
    ),
    "Loss of one day": "Günlük zarar",
    "Since midnight UTC, or since the level was last lowered by hand; a withdrawal counts as a loss. Nothing is "
    "added from there on. Empty: off.": (
        "UTC gece yarısından ya da seviyenin en son elle gevşetilmesinden beri; para çekme zarar sayılır. Bundan sonra "
        "ekleme yapılmaz. Boş: kapalı."
    ),
    "Fall from the peak": "Zirveden düşüş",
    "From the highest equity seen, or since the level was last lowered by hand. Empty: off.": (
        "Görülen en yüksek özkaynaktan ya da seviyenin en son elle gevşetilmesinden beri. Boş: kapalı."
    ),
    "Stop-losses within a time": "Belirli sürede SL sayısı",
    "That time": "Bu süre",
    "For the number before it.": "Önceki sayı için.",
    "Nothing seen for": "Veri gelmeyen süre",
    "No complete look at the exchange for so long. Empty: off.": (
        "Bu kadar süre borsaya tam bakış yapılamadı. Boş: kapalı."
    ),
    "Turned away by the exchange for": "Borsanın reddettiği süre",
    "It bans or refuses us for so long; maintenance counts at once. Empty: off.": (
        "Bizi bu kadar süre yasaklar ya da reddeder; bakım hemen sayılır. Boş: kapalı."
    ),
    "Level after a loss": "Zarardan sonraki seviye",
    "For losses and stop-losses. Where nothing is seen, entries, recovery and reopen are paused.": (
        "Zararlar ve SL'ler için. Veri gelmediğinde girişler, kurtarma ve yeniden açma durdurulur."
    ),
    "Watch orders and positions": "Emir ve pozisyonları izle",
    "The safety net under the exchange's own messages: everything is looked at this often even in silence.": (
        "Borsanın kendi mesajlarının altındaki güvenlik ağı: sessizlikte bile her şeye bu sıklıkla bakılır."
    ),
    "Full check": "Tam kontrol",
    "Contract rules are read anew and every position is looked at.": (
        "Sözleşme kuralları yeniden okunur, her pozisyona bakılır."
    ),
    "Read the balance": "Bakiyeyi oku",
    "Money and position mode; a sample of the equity is kept.": (
        "Para ve pozisyon modu; özkaynağın bir örneği saklanır."
    ),
    "Compares stops, PnL and freshness with the exchange on its own; raises alarms, never trades.": (
        "SL'leri, PnL'i ve tazeliği borsayla kendi başına karşılaştırır; alarm verir, hiç işlem yapmaz."
    ),
    "Bring in history": "Geçmişi getir",
    "Fills and funding payments go into the ledger.": "Gerçekleşmeler ve fonlama ödemeleri deftere işlenir.",
    "take-profit and stop-loss are automatic again": "TP ve SL yeniden otomatik",
    "the levels set at the exchange are kept": "borsada verilen seviyeler korunuyor",
    "the bot changes the resting order now": "bot bekleyen emri şimdi değiştiriyor",
    "it is changed once the bot is started": "bot başlatılınca değiştirilir",
    "{words}; what has filled stays and stays protected.": "{words}; gerçekleşen kalır ve korunur.",
    "The bot withdraws it now": "Bot şimdi geri çekiyor",
    "The bot withdraws it once it is started": "Bot başlatılınca geri çekecek",
    "part {part} is not known": "{part} parçası bilinmiyor",
    "part {part} has ended already ({reason})": "{part} parçası zaten bitti ({reason})",
    "part {part} is open: close it first": "{part} parçası açık: önce kapatın",
    "paper market": "kağıt piyasa",
    "An order is carried out, and its answer is lost": "Emir yerine gelir, yanıtı kaybolur",
    "An order is lost on its way, and no answer comes": "Emir yolda kaybolur, yanıt gelmez",
    "An order arrives three seconds late, and no answer comes": "Emir üç saniye geç ulaşır, yanıt gelmez",
    "The answer to an order takes three seconds": "Emrin yanıtı üç saniye sürer",
    "An order is refused: not enough margin": "Emir reddedilir: marjin yetersiz",
    "Four tenths of an order fill, the rest is cancelled": "Emrin onda dördü gerçekleşir, gerisi iptal edilir",
    "An order is accepted and fills two seconds later": "Emir kabul edilir, iki saniye sonra gerçekleşir",
    "An accepted order cannot be found for two seconds": "Kabul edilen emir iki saniye bulunamaz",
    "A gateway answers an order with a web page": "Ağ geçidi emre bir web sayfasıyla yanıt verir",
    "Reading positions fails: the service is busy": "Pozisyonlar okunamaz: servis meşgul",
    "A message about an order never comes": "Emirle ilgili mesaj hiç gelmez",
    "A message about an order comes twice": "Emirle ilgili mesaj iki kez gelir",
    "A message about an order comes three seconds late": "Emirle ilgili mesaj üç saniye geç gelir",
    "The stream of orders is cut": "Emir akışı kesilir",
    "the bot closes it once it is started; until then its stop and target go on resting on the exchange": (
        "bot başlatılınca kapatır; o zamana kadar SL ve TP'si borsada beklemeye devam eder"
    ),
    "the resting orders are amended now": "bekleyen emirler şimdi değiştiriliyor",
    "the resting orders are amended once the bot runs": "bekleyen emirler bot çalışınca değiştirilir",
    "it is opened again now": "şimdi yeniden açılıyor",
    "it is opened again once the bot is started": "bot başlatılınca yeniden açılır",
    "it is not opened again": "yeniden açılmaz",
    "it holds from the bot's next look": "botun bir sonraki bakışından itibaren geçerli",
    "the bot enters now": "bot şimdi giriyor",
    "the bot enters once it is started": "bot başlatılınca girer",
    "the bot closes {contracts} contracts now": "bot şimdi {contracts} kontrat kapatıyor",
    "contracts: nothing is held of this part now": "kontrat: bu parçada şu anda pozisyon yok",
    "contracts {contracts} is out of range: {least} to {size} is allowed": (
        "kontrat {contracts} sınır dışında: {least} ile {size} arası olmalı"
    ),
    "contracts {contracts} is between two steps: a multiple of {step} is allowed": (
        "kontrat {contracts} iki adım arasında: {step} katı olmalı"
    ),
    "contracts {contracts} would leave {rest}: below the exchange's smallest of {least}": (
        "kontrat {contracts}, geriye {rest} bırakır: borsanın en küçüğü {least}"
    ),
    "not connected yet": "henüz bağlı değil",
    "not connected": "bağlı değil",
    "another bot may be acting on this account: the lease is not ours": (
        "bu hesapta başka bir bot çalışıyor olabilir: işlem hakkı bizde değil"
    ),
    "the exchange is under maintenance": "borsa bakımda",
    "the scheduler stood still and was replaced": "zamanlayıcı durmuştu, yenilendi",
    "not started since the bot came up; press Start": "bot açıldığından beri başlatılmadı; Başlat'a basın",
    "found {n} open parts, {protected} of them with their stop-loss on the exchange; {open} commands "
    "without an answer; {due} things to do once the bot is started": (
        "{n} açık parça bulundu, {protected} tanesinin SL'si borsada; {open} yanıtsız komut; bot başlatılınca "
        "yapılacak {due} iş"
    ),
    "the last complete look at the exchange was {age}": "borsaya son tam bakış: {age}",
    "{id}: stop-losses cover {covered} of {wanted} contracts": (
        "{id}: SL'ler {wanted} kontratın {covered} kadarını kapsıyor"
    ),
    "{id}: our PnL {ours} USDT, the exchange's {theirs} USDT": (
        "{id}: bizim PnL {ours} USDT, borsanınki {theirs} USDT"
    ),
    "{n} trigger or trailing orders rest on {symbol}; they are not ours and are left alone": (
        "{symbol} üzerinde {n} tetikli ya da takipli emir bekliyor; bizim değil, dokunulmuyor"
    ),
    "leverage {leverage} could not be confirmed: {words}": "kaldıraç {leverage} doğrulanamadı: {words}",
    # alerts
    "{symbol} {side}, part {part}": "{symbol} {side}, parça {part}",
    "{where}: {filled} contracts entered at {price}": "{where}: {price} fiyattan {filled} kontrat girildi",
    "{where}: cycle {cycle} begins with {filled} contracts at {price}": (
        "{where}: {cycle}. döngü {price} fiyattan {filled} kontratla başladı"
    ),
    "{where}: recovery adds {filled} contracts at {price}": (
        "{where}: kurtarma {price} fiyattan {filled} kontrat ekledi"
    ),
    "{where}: {purpose} has filled {filled} of {quantity} contracts at {price}": (
        "{where}: {purpose}, {quantity} kontratın {filled} kadarı {price} fiyattan gerçekleşti"
    ),
    "{where}: {reason}, {contracts} contracts from {entry} to {exit}, PnL {pnl}, fees {fees}, funding {funding}, "
    "net {net} USDT": (
        "{where}: {reason}, {contracts} kontrat, giriş {entry}, çıkış {exit}, PnL {pnl}, komisyon {fees}, "
        "fonlama {funding}, net {net} USDT"
    ),
    "{where}: nothing was entered: {words}": "{where}: giriş yapılmadı: {words}",
    "{where}: not reopened: {words}": "{where}: yeniden açılmadı: {words}",
    "the level is now {level}, set by {who}{said}": "seviye artık {level}; ayarlayan: {who}{said}",
    "the bot was {verb} by {who}{said}": "bot {verb}; yapan: {who}{said}",
    "part {part}: the limits refuse it: {words}": "parça {part}: limitler izin vermiyor: {words}",
    "part {part}: the exchange refused {purpose} {id}: {said}": (
        "parça {part}: borsa {purpose} emrini ({id}) reddetti: {said}"
    ),
    "part {part}: the exchange refused {said}": "parça {part}: borsa reddetti: {said}",
    "part {part}: {words}": "parça {part}: {words}",
    "over: {words}": "geçti: {words}",
    "over after {span}: {words}": "{span} sonra geçti: {words}",
    "{symbol} {side}, part {part}: {purpose} {id} has had no answer since {at} UTC": (
        "{symbol} {side}, parça {part}: {purpose} emri {id}, {at} UTC'den beri yanıtsız"
    ),
    "{symbol} {side}, part {part}: {bare} of {size} contracts are held without a stop-loss on the exchange": (
        "{symbol} {side}, parça {part}: {size} kontratın {bare} kadarı borsada SL olmadan tutuluyor"
    ),
    "the bot should run, and no process looks after the account; what rests on the exchange guards it": (
        "bot çalışmalı ama hesaba bakan bir süreç yok; borsada bekleyen emirler korumaya devam ediyor"
    ),
    "the last complete look at the exchange is {age} s old": "borsaya son tam bakış {age} sn önce yapıldı",
    "the bot's last sign of life was {age} s ago": "botun son yaşam belirtisi {age} sn önceydi",
    "the picture that pages show is {age} s old": "sayfaların gösterdiği görüntü {age} sn eski",
    "the heartbeat that others read is {age} s old": "başkalarının okuduğu yaşam belirtisi {age} sn eski",
    "{account}: take-profits cover {covered} of {wanted} contracts": (
        "{account}: TP emirleri {wanted} kontratın {covered} kadarını kapsıyor"
    ),
    "{words}; {done}": "{words}; {done}",
    "ended cycles: {count}, with a profit: {won}, net {net} USDT, fees {fees} USDT": (
        "biten döngü: {count}, kârla: {won}, net {net} USDT, komisyon {fees} USDT"
    ),
    "{guarded} of {parts} open parts are protected, equity {money} USDT": (
        "{parts} açık parçanın {guarded} tanesi korunuyor, özkaynak {money} USDT"
    ),
    "and {count} more": "ve {count} tane daha",
    "{count} alerts": "{count} uyarı",
    "what was to be told over {name} could not be sent: {said}": (
        "{name} üzerinden bildirilecekler gönderilemedi: {said}"
    ),
    "its address is gone: enter it anew": "adresi kayıp: yeniden girin",
    "the service's own part has failed ({name})": "servisin kendi bölümü hata verdi ({name})",
    "no answer within {seconds} s": "{seconds} sn içinde yanıt yok",
    "address: it is none that can be sent to; for example tgram://<bot token>/<chat id>, "
    "discord://<webhook id>/<webhook token>, mailto://<user>:<password>@<host>, json://<host>:<port>/<path>": (
        "adres: gönderilebilecek bir adres değil; örneğin tgram://<bot token>/<chat id>, "
        "discord://<webhook id>/<webhook token>, mailto://<user>:<password>@<host>, json://<host>:<port>/<path>"
    ),
    "not sent: {words}": "gönderilmedi: {words}",
    "no bot is running": "çalışan bot yok",
    "nobody looks after {account}": "{account} hesabına bakan yok",
    "the bot of {account} gives no sign of life": "{account} hesabının botu yaşam belirtisi vermiyor",
    "the last complete look at {account} is old": "{account} hesabına son tam bakış eski",
    "no connection ({name})": "bağlantı yok ({name})",
    "answered with {status}": "yanıt: {status}",
    "no address is set": "adres girilmemiş",
    "address: it must begin with https:// or http://": "adres: https:// ya da http:// ile başlamalı",
    "messages in a minute {number} is out of range: 1 to {most} is allowed": (
        "dakikada mesaj {number} aralık dışında: 1 ile {most} arası olabilir"
    ),
    "quiet hours: they begin and end at the same time; leave both empty for none": (
        "sessiz saatler: başlangıç ve bitiş aynı; istemiyorsanız ikisini de boş bırakın"
    ),
    "commands: nobody may give them; enter the number of one user or chat at least": (
        "komutlar: kimse yetkili değil; en az bir kullanıcı ya da sohbet numarası girin"
    ),
    "bot token: it does not look like one; BotFather gives it, as in 123456789:ABC-def…": (
        "bot token'ı: token'a benzemiyor; BotFather verir, örneğin 123456789:ABC-def…"
    ),
    "name {name} is taken by another channel": "{name} adı başka bir kanalda kullanılıyor",
    "Perpdeck: a test": "Perpdeck: deneme",
    "This channel works.": "Bu kanal çalışıyor.",
    "Position opened": "Pozisyon açıldı",
    "Take-profit": "TP",
    "Stop-loss": "SL",
    "Fill": "Gerçekleşme",
    "Position closed": "Pozisyon kapandı",
    "Recovery step": "Kurtarma adımı",
    "Position reopened": "Pozisyon yeniden açıldı",
    "Reopening failed": "Yeniden açılamadı",
    "Liquidation": "Likidasyon",
    "Without a stop-loss": "SL'siz",
    "Order without an answer": "Yanıtsız emir",
    "Refused": "Reddedildi",
    "Alarm": "Alarm",
    "Alarm over": "Alarm geçti",
    "Level": "Seviye",
    "Bot": "Bot",
    "Nobody runs the bot": "Botu çalıştıran yok",
    "Summary of the day": "Günün özeti",
    # commands from a phone
    "/status: bots, levels, money": "/status: botlar, seviyeler, para",
    "/positions: what is held": "/positions: tutulanlar",
    "/why <part>: why the bot did or did not do something": "/why <parça>: bot neyi neden yaptı ya da yapmadı",
    "/pause [account]: no entries, no recovery, no reopening": "/pause [hesap]: giriş, kurtarma, yeniden açma yok",
    "/reduce_only [account]: nothing that enlarges a position": "/reduce_only [hesap]: pozisyonu büyüten hiçbir şey",
    "/flatten [account]: close everything; asks for a code": "/flatten [hesap]: hepsini kapat; kod ister",
    "Taking a level back needs the dashboard.": "Bir seviyeyi geri almak için panel gerekir.",
    "/{name} is not known": "/{name} bilinmiyor",
    "/{name} came more than a minute late and was not carried out: send it again": (
        "/{name} bir dakikadan geç geldi ve uygulanmadı: yeniden gönderin"
    ),
    "{account}: {state}, level {level}": "{account}: {state}, seviye {level}",
    "{guarded} of {parts} open parts are protected": "{parts} açık parçanın {guarded} tanesi korunuyor",
    "equity {equity} USDT, unrealised {floating} USDT": "özkaynak {equity} USDT, gerçekleşmemiş {floating} USDT",
    "! {words}": "! {words}",
    "{account} {part}: {symbol} {side}, {size} contracts at {average}, PnL {pnl} USDT, TP {tp}, SL {sl}": (
        "{account} {part}: {symbol} {side}, {average} fiyattan {size} kontrat, PnL {pnl} USDT, TP {tp}, SL {sl}"
    ),
    "! {part} is held without its stop-loss": "! {part} SL olmadan tutuluyor",
    "nothing is held": "açık pozisyon yok",
    "which part? {parts}": "hangi parça? {parts}",
    "{account}: the level is now {level}": "{account}: seviye artık {level}",
    "{account}: the level stays {level}, which protects as much": (
        "{account}: seviye {level} olarak kalıyor, en az o kadar koruyor"
    ),
    "which account? {account}, or all": "hangi hesap? {account} ya da all",
    "closes everything at market on {account}: send /flatten {code} within 60 s": (
        "{account}: her şey piyasadan kapatılacak; 60 sn içinde /flatten {code} gönderin"
    ),
    "there is no code to confirm: send /flatten first": "onaylanacak kod yok: önce /flatten gönderin",
    "the code has run out: send /flatten again": "kodun süresi doldu: yeniden /flatten gönderin",
    "this is not the code; nothing was done": "kod bu değil; hiçbir şey yapılmadı",
    "this is not the code, for the third time: send /flatten again": (
        "kod üçüncü kez yanlış: yeniden /flatten gönderin"
    ),
}

_BETWEEN = re.compile(r"(?<=\.) (?=[A-Z])")
_PLACE = re.compile(r"\{(\w+)\}")
_ENGLISH = re.compile(r"(?<![\w/.])[a-z]{3,}(?![\w/.])")  #: a plain word: part of a phrase, not a number or an id
_NAMES = frozenset(  # never a phrase
    {"name", "who", "span", "account", "place", "symbol", "part", "parts", "id", "said"}
)
_PHRASES = frozenset(
    {"busy", "held", "because", "words", "veto", "hindered", "after", "never", "done", "levels", "where"}
)  #: places that hold a sentence of their own


def _compiled(sentence: str) -> re.Pattern[str]:
    """Return the sentence as a pattern; its places match anything."""
    pieces = _PLACE.split(sentence)
    return re.compile(
        "".join(f"(?P<{piece}>.*?)" if odd % 2 else re.escape(piece) for odd, piece in enumerate(pieces)), re.DOTALL
    )


#: the most literal first, so that a whole sentence comes before one that begins or ends like it
_PATTERNS = [
    (_compiled(english), turkish)
    for english, turkish in sorted(SENTENCES.items(), key=lambda one: -len(_PLACE.sub("", one[0])))
    if _PLACE.search(english)
]


@lru_cache(maxsize=4096)
def in_turkish(words: str) -> str:
    """Return the sentence, or several of them, in Turkish; as they are where one is not known in full."""
    whole = _known(words) or _begun(words)
    if whole is not None:
        return whole
    pieces = [_known(piece) or _begun(piece) for piece in _BETWEEN.split(words)]
    known = [piece for piece in pieces if piece is not None]
    return " ".join(known) if len(known) == len(pieces) else words


def _begun(words: str) -> str | None:
    """Return the Turkish of a sentence that was given a capital and a full stop; None where it is not known."""
    known = _known(words[:1].lower() + words[1:].removesuffix(".")) if words.endswith(".") else None
    return None if known is None else f"{known[:1].replace('i', 'İ').upper()}{known[1:]}."


def _known(words: str) -> str | None:
    whole = WORDS.get(words) or SENTENCES.get(words)
    if whole is not None:
        return whole
    for pattern, turkish in _PATTERNS:
        match = pattern.fullmatch(words)
        inner = None if match is None else _inner(match.groupdict())
        if inner is not None:
            return turkish.format(**inner)
    return None


def _inner(places: dict[str, str]) -> dict[str, str] | None:
    """Return the values of a sentence's places, translated; None where a phrase among them is not known."""
    translated = {}
    for name, value in places.items():
        known = _known(value) if name in _PHRASES else WORDS.get(value)
        if known is None and name not in _NAMES and _ENGLISH.search(value):
            return None
        translated[name] = value if known is None else known
    return translated
